// What `handle` must do, beside workers that fail. The other workers are played by the case itself where it matters who
// waits at which moment.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};

use judge::exercise::{Case, require};

use super::answer::{LEASE, State, handle, serve};

pub(crate) const CASES: &[Case] = &[
    Case::of(&all_results_come_in_and_the_workers_go_home)
        .within(LONG)
        .hang(
            "hang: two good workers, and it does not end; handle must return when all results are \
             in, and hold no lock when it takes the lock again",
        )
        .descriptor("a connection stays open: a worker goes home when its connection is closed"),
    Case::of(&two_workers_work_at_the_same_time).within(LONG).hang(HANG),
    Case::of(&a_failed_workers_task_goes_back).hang(
        "hang: a worker failed, and handle does not return; its connection is of no use any more, \
         put the task back and return the error",
    ),
    Case::of(&an_idle_worker_stays_until_all_is_finished).hang(
        "hang: a worker was idle, a task came back, and nobody gave it to that worker; wait on \
         `changed`, and look at `todo` again after each notification",
    ),
    Case::of(&whoever_waits_learns_that_a_task_is_back).hang(
        "hang: a task went back to `todo`, and of those who wait for one not all were woken; call \
         changed.notify_all() after it is back",
    ),
    Case::of(&whoever_waits_learns_that_all_is_finished).hang(
        "hang: the last result was in, and of those who wait not all were woken; all of them are \
         to go home, call changed.notify_all()",
    ),
    Case::of(&a_silent_worker_loses_its_task).hang(
        "hang: a worker took a task and never answered; set a read timeout (a lease) and give the \
         task to another worker",
    ),
];

const HANG: &str = "hang: the workers answer, and it does not end; where does it wait?";
const LONG: Duration = Duration::from_secs(5);

/// What the good workers compute.
fn square(task: u64) -> u64 {
    task * task
}

fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")
}

fn connect(to: &TcpListener) -> TcpStream {
    TcpStream::connect(to.local_addr().expect("an address")).expect("itself")
}

/// A connection's two ends, the master's first.
fn connection() -> (TcpStream, TcpStream) {
    let listener = listener();
    let worker = connect(&listener);
    (listener.accept().expect("the worker").0, worker)
}

/// What a worker says to a task; None, and it is gone.
type Answer = fn(u64) -> Option<String>;

/// A worker: answers each task with what `answer` says, and returns how many there were until it was sent home. A
/// thread that a panic does not wait for.
fn worker(
    stream: TcpStream,
    mut answer: impl FnMut(u64) -> Option<String> + Send + 'static,
) -> JoinHandle<usize> {
    thread::spawn(move || {
        let mut lines = BufReader::new(&stream).lines();
        let mut count = 0;
        while let Some(Ok(task)) = lines.next() {
            let task = task.parse().unwrap_or_default();
            count += 1;
            let Some(line) = answer(task) else { break };
            let _ = (&stream).write_all(format!("{line}\n").as_bytes());
        }
        count
    })
}

fn good(task: u64) -> Option<String> {
    Some(square(task).to_string())
}

/// What a master's threads share.
#[derive(Clone)]
struct Master {
    shared: Arc<(Mutex<State>, Condvar)>,
}

const TASKS: [u64; 2] = [12, 7];

impl Master {
    /// No task has a result yet; those that are not to do are out at somebody else.
    fn with(todo: &[usize]) -> Master {
        let todo: VecDeque<usize> = todo.iter().copied().collect();
        let state = State { todo, results: vec![None; TASKS.len()] };
        Master { shared: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    fn handle(&self, conn: TcpStream) -> io::Result<()> {
        handle(conn, &TASKS, &self.shared.0, &self.shared.1)
    }

    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.shared.0.lock().expect("no panic under the lock"))
    }

    /// Four others who wait until `until`; all of them wait by the time it returns.
    fn waiters(&self, until: fn(&State) -> bool) -> Vec<JoinHandle<()>> {
        let waiting = Arc::new(AtomicUsize::new(0));
        let start = || {
            let (master, waiting) = (self.clone(), Arc::clone(&waiting));
            thread::spawn(move || {
                let (state, changed) = &*master.shared;
                let mut state = state.lock().expect("no panic under the lock");
                // Counted under the lock, which the wait gives back.
                waiting.fetch_add(1, SeqCst);
                loop {
                    state = changed.wait(state).expect("no panic under the lock");
                    if until(&state) {
                        break;
                    }
                }
            })
        };
        let waiters: Vec<_> = (0..4).map(|_| start()).collect();
        while self.look(|_| waiting.load(SeqCst)) < waiters.len() {
            thread::yield_now();
        }
        waiters
    }
}

judge::case!(
    fn all_results_come_in_and_the_workers_go_home() {
        let listener = listener();
        let workers = [(); 2].map(|()| worker(connect(&listener), good));
        let tasks: Vec<u64> = (0..100).collect();
        let results = serve(&listener, &tasks).expect("a listener");
        // A worker that came too late to be accepted goes home with it.
        drop(listener);
        require(
            results == tasks.iter().copied().map(square).collect::<Vec<_>>(),
            &format!(
                "of 100 tasks there are {} results, or not in the order of the tasks: the answer \
                 to tasks[i] goes to results[i]",
                results.len()
            ),
        );
        let counts = workers.map(|worker| worker.join().expect("a worker ends"));
        require(
            // A busy machine may cost one of them its lease, and so a task goes out a second time.
            (100..=102).contains(&counts.iter().sum::<usize>()),
            &format!("two good workers got {counts:?} tasks, of 100: each goes out once"),
        );
    }
);

judge::case!(
    fn two_workers_work_at_the_same_time() {
        let listener = listener();
        let (at_work, met) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let workers = [(); 2].map(|()| {
            let (at_work, met) = (Arc::clone(&at_work), Arc::clone(&met));
            // Each waits a while for the other to be at work, until both have been once.
            worker(connect(&listener), move |task| {
                at_work.fetch_add(1, SeqCst);
                let start = Instant::now();
                while !met.load(SeqCst) && start.elapsed() < LEASE / 6 {
                    if at_work.load(SeqCst) == 2 {
                        met.store(true, SeqCst);
                    }
                    pause();
                }
                at_work.fetch_sub(1, SeqCst);
                good(task)
            })
        });
        let tasks: Vec<u64> = (0..20).collect();
        let results = serve(&listener, &tasks).expect("a listener");
        drop(listener);
        let _ = workers.map(JoinHandle::join);
        require(
            met.load(SeqCst),
            "of two workers only one was ever at work: you hold the lock while you wait for an \
             answer, let go of it first",
        );
        require(results.len() == tasks.len(), "two slow workers, and not all results came in");
    }
);

fn pause() {
    judge::exercise::pause(Duration::from_millis(1));
}

judge::case!(
    fn a_failed_workers_task_goes_back() {
        let ways: [(&str, Answer); 2] =
            [("vanished", |_| None), ("answered nonsense", |_| Some("plenty".to_owned()))];
        for (what, way) in ways {
            let master = Master::with(&[0, 1]);
            let (conn, far) = connection();
            let worker = worker(far, way);
            let end = master.handle(conn);
            let mut todo = master.look(|state| Vec::from(state.todo.clone()));
            todo.sort_unstable();
            require(
                todo == [0, 1],
                &format!(
                    "a worker {what} and its task with it (to do: {todo:?} of [0, 1]); put the \
                     task back, once, before you return the error"
                ),
            );
            require(
                master.look(|state| state.results == [None, None]),
                &format!("a worker {what}, and its task has a result all the same"),
            );
            require(
                end.is_err(),
                &format!("a worker {what}, and handle returned {end:?}: return ask's error"),
            );
            let _ = worker.join();
        }
    }
);

/// Where a thread is: it tells, and others ask.
fn here() -> std::path::PathBuf {
    std::path::Path::new("/proc").join(fs::read_link("/proc/thread-self").expect("/proc"))
}

/// Whether that thread waits for something. One that is only kept from running doesn't.
fn sleeps(thread: &std::path::Path) -> bool {
    let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
}

judge::case!(
    fn an_idle_worker_stays_until_all_is_finished() {
        // Task 0 is out at another worker; task 1 is for this one.
        let master = Master::with(&[1]);
        let (conn, far) = connection();
        let worker = worker(far, good);
        let (tell, told) = mpsc::channel();
        let handling = {
            let master = master.clone();
            thread::spawn(move || {
                let _ = tell.send(here());
                master.handle(conn)
            })
        };
        let thread = told.recv().expect("it begins");
        while master.look(|state| state.results[1].is_none()) && !handling.is_finished() {
            pause();
        }
        require(
            master.look(|state| state.results[1]) == Some(square(TASKS[1])),
            "a good worker got a task, and its result did not come in",
        );
        // It waits by now, or it has left.
        let mut asleep = 0;
        while asleep < 5 && !handling.is_finished() {
            asleep = if sleeps(&thread) { asleep + 1 } else { 0 };
            pause();
        }
        require(
            !handling.is_finished(),
            "an idle worker was sent home while another one was at work on the last task: when \
             that one fails, nobody is there; stay until all results are in",
        );
        // The other worker failed.
        master.look(|state| state.todo.push_front(0));
        master.shared.1.notify_all();
        let end = handling.join().expect("no panic");
        require(
            end.is_ok() && master.look(|state| state.finished()),
            &format!("all results were there to be had, and handle returned {end:?} without them"),
        );
        let _ = worker.join();
    }
);

judge::case!(
    fn whoever_waits_learns_that_a_task_is_back() {
        let master = Master::with(&[0]);
        let waiters = master.waiters(|state| !state.todo.is_empty());
        let (conn, far) = connection();
        let worker = worker(far, |_| None);
        let _ = master.handle(conn);
        waiters.into_iter().for_each(|waiter| waiter.join().expect("no panic"));
        let _ = worker.join();
    }
);

judge::case!(
    fn whoever_waits_learns_that_all_is_finished() {
        // One task is enough: where each result woke one, a second result would wake a second.
        let master = Master::with(&[0]);
        master.look(|state| state.results[1] = Some(square(TASKS[1])));
        let waiters = master.waiters(State::finished);
        let (conn, far) = connection();
        let worker = worker(far, good);
        let end = master.handle(conn);
        require(end.is_ok(), &format!("a good worker did all, and handle returned {end:?}"));
        waiters.into_iter().for_each(|waiter| waiter.join().expect("no panic"));
        let _ = worker.join();
    }
);

judge::case!(
    fn a_silent_worker_loses_its_task() {
        let master = Master::with(&[0, 1]);
        // Nobody reads at the far end, and it stays open.
        let (conn, far) = connection();
        let start = Instant::now();
        let end = master.handle(conn);
        let took = start.elapsed();
        require(
            master.look(|state| state.todo.len()) == 2,
            "a worker never answered, and its task is not back in `todo`",
        );
        require(
            end.is_err(),
            &format!("a worker never answered, and handle returned {end:?}: return ask's error"),
        );
        require(
            // A socket's time-outs are counted in ticks, of which the first may be nearly over.
            took + Duration::from_millis(20) >= LEASE,
            &format!("a worker has LEASE for its answer, and lost its task after {took:?}"),
        );
        drop(far);
    }
);
