//! Promises of `fork` itself.

use std::fs;
use std::io::{self, Read};
use std::panic::{catch_unwind, panic_any};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use fork::{ForkError, PrivateFd, fork, fork_handing};
use judge::{Judge, check, scenario};
use nix::sys::resource::{Resource, setrlimit};

fn thread_names() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("proc is mounted");
    let names = tasks.map(|task| fs::read_to_string(task.expect("an entry").path().join("comm")));
    names.map(|name| name.expect("a thread of ours").trim().to_owned()).collect()
}

scenario!(
    fn one_thread_of_four_forks() {
        let (there, done) = (&Barrier::new(4), &Barrier::new(4));
        thread::scope(|scope| {
            for name in ["anna", "carl"] {
                let wait = || {
                    there.wait();
                    done.wait();
                };
                thread::Builder::new()
                    .name(name.to_owned())
                    .spawn_scoped(scope, wait)
                    .expect("a thread");
            }
            let forks = || {
                there.wait();
                let child = fork(|| i32::from(thread_names() != ["bert"])).expect("a child");
                let alone = child.wait().expect("its status").success();
                let others = thread_names().len();
                done.wait();
                (alone, others)
            };
            let bert = thread::Builder::new().name("bert".to_owned()).spawn_scoped(scope, forks);
            there.wait();
            done.wait();
            let (alone, others) = bert.expect("a thread").join().expect("it does not panic");
            check("child", alone, "the child has the thread that forked, and no other");
            check("parent", others == 4, "the parent still has all four");
        });
    }
);

#[test]
fn only_the_thread_that_forks_lives_on_in_the_child() {
    Judge::scenario(&one_thread_of_four_forks).declare(["child", "parent"]).run().assert_clean();
}

scenario!(
    fn sixteen_threads_fork_at_once() {
        let together = Barrier::new(16);
        let right = thread::scope(|scope| {
            let together = &together;
            let forks = |thread: i32| {
                scope.spawn(move || {
                    (0..20).all(|round| {
                        together.wait();
                        let code = 16 * (round % 16) + thread;
                        let child = fork(|| code).expect("a child");
                        child.wait().expect("its status").code() == Some(code)
                    })
                })
            };
            let threads: Vec<_> = (0..16).map(forks).collect();
            threads.into_iter().all(|thread| thread.join().expect("it does not panic"))
        });
        check("codes", right, "each of 320 children ended with its own code");
    }
);

#[test]
fn sixteen_threads_fork_at_once_and_every_child_exits_with_its_code() {
    Judge::scenario(&sixteen_threads_fork_at_once).declare(["codes"]).run().assert_clean();
}

scenario!(
    fn every_thread_forks_in_turn() {
        // Alone, with the process's number for its own, and able to start others.
        let single = || {
            let child = fork(|| {
                let alone = thread_names().len() == 1;
                let this = fs::read_link("/proc/thread-self").expect("proc is mounted");
                let first = this.ends_with(std::process::id().to_string());
                let started = thread::spawn(|| thread_names().len()).join().ok();
                i32::from(!(alone && first && started == Some(2)))
            });
            child.expect("a child").wait().expect("its status").success()
        };
        check("main", single(), "forked by the first thread, the child is a single thread");
        let others = thread::scope(|scope| scope.spawn(single).join().expect("it does not panic"));
        check("other", others, "forked by another thread, it is one too");
    }
);

#[test]
fn the_child_sees_itself_as_a_single_thread_whichever_thread_forked() {
    let report = Judge::scenario(&every_thread_forks_in_turn).declare(["main", "other"]).run();
    report.assert_clean();
}

scenario!(
    fn prints_before_the_fork_without_a_line_break() {
        print!("before, ");
        fork(|| {
            print!("child, ");
            0
        })
        .expect("a child")
        .wait()
        .expect("its status");
        println!("parent");
    }
);

#[test]
fn what_was_buffered_before_the_fork_is_printed_once() {
    let report = Judge::scenario(&prints_before_the_fork_without_a_line_break).run();
    report.assert_clean();
    assert_eq!(report.stdout(), "before, child, parent\n");
}

scenario!(
    fn leaves_things_for_the_end() {
        struct Destructor;
        impl Drop for Destructor {
            fn drop(&mut self) {
                println!("destructor");
            }
        }
        extern "C" fn handler() {
            // As a library in C would: std's stdout may be gone by now.
            let _ = nix::unistd::write(io::stdout(), b"exit handler\n");
        }
        // SAFETY: the handler is a function of this program, and does not unwind.
        unsafe { libc::atexit(handler) };
        let _destructor = Destructor;
        // SAFETY: a format without arguments.
        unsafe { libc::printf(c"C's buffer\n".as_ptr()) };
        for child in [fork(|| 0), fork(|| panic!())] {
            child.expect("a child").wait().expect("its status");
        }
    }
);

#[test]
fn a_child_runs_none_of_its_parents_destructors_and_exit_handlers() {
    let report = Judge::scenario(&leaves_things_for_the_end).run();
    report.assert_clean();
    let stdout = report.stdout();
    let mut lines: Vec<_> = stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["C's buffer", "destructor", "exit handler"]);
}

scenario!(
    fn a_child_cannot_write_its_output() {
        let child = fork(|| {
            let full = fs::File::options().write(true).open("/dev/full").expect("it exists");
            nix::unistd::dup2_stdout(full).expect("stdout is open");
            print!("nobody will read this");
            3
        });
        let code = child.expect("a child").wait().expect("its status").code();
        check("code", code == Some(3), "the code is the closure's");
    }
);

#[test]
fn a_child_that_cannot_write_its_output_keeps_its_exit_code() {
    Judge::scenario(&a_child_cannot_write_its_output).declare(["code"]).run().assert_clean();
}

scenario!(
    fn a_child_panics() {
        let child = catch_unwind(|| fork(|| panic!("the child's own trouble")));
        println!("after the fork, process {}", std::process::id());
        let child = child.expect("the panic stays in the child").expect("a child");
        check("code", child.wait().expect("its status").code() == Some(101), "it ends with 101");

        let child = fork(|| panic_any(DropPanics { except_in: 0 })).expect("a child");
        check(
            "payload",
            child.wait().expect("its status").code() == Some(101),
            "whatever it panics with",
        );

        let captured = DropPanics { except_in: std::process::id() };
        let child = fork(move || {
            let _captured = &captured;
            0
        });
        let code = child.expect("a child").wait().expect("its status").code();
        check(
            "captured",
            code == Some(101),
            "and though it was the destructor of what it captured",
        );
    }
);

struct DropPanics {
    except_in: u32,
}

impl Drop for DropPanics {
    fn drop(&mut self) {
        assert_eq!(self.except_in, std::process::id(), "dropped in another process");
    }
}

#[test]
fn a_panic_ends_the_child_alone_with_code_101_and_its_message_on_stderr() {
    let report = Judge::scenario(&a_child_panics).declare(["code", "payload", "captured"]).run();
    report.assert_clean();
    assert_eq!(report.stdout().matches("after the fork").count(), 1, "{}", report.stdout());
    assert_eq!(
        report.stderr().matches("the child's own trouble").count(),
        1,
        "{}",
        report.stderr()
    );
}

scenario!(
    fn forks_while_it_panics() {
        struct Forks;
        impl Drop for Forks {
            fn drop(&mut self) {
                let code = |child: Result<fork::Child, ForkError>| {
                    child.expect("a child").wait().expect("its status").code()
                };
                let returned = code(fork(|| 5));
                check("returned", returned == Some(5), "a child that returns keeps its code");
                let panicked = code(fork(|| panic!("one more")));
                check("panicked", panicked == Some(101), "a child that panics, too, ends with 101");
            }
        }
        let unwound = catch_unwind(|| {
            let _forks = Forks;
            panic!("so that the destructor runs while this unwinds");
        });
        check("unwound", unwound.is_err(), "the parent's panic goes on after the forks");
    }
);

#[test]
fn a_destructor_may_fork_while_its_thread_panics() {
    let judge = Judge::scenario(&forks_while_it_panics);
    judge.declare(["returned", "panicked", "unwound"]).run().assert_clean();
}

scenario!(
    fn grandchildren() {
        let child = fork(|| {
            let (two, three) =
                (fork(|| 2).expect("a child"), fork(|| fork_and_wait(|| 3)).expect("a child"));
            let sum = two.wait().expect("its status").exitcode()
                + three.wait().expect("its status").exitcode();
            1 + sum
        });
        let code = child.expect("a child").wait().expect("its status").code();
        check("sum", code == Some(6), "each waited for its own children");
    }
);

fn fork_and_wait(child: impl FnOnce() -> i32) -> i32 {
    fork(child).expect("a child").wait().expect("its status").exitcode()
}

#[test]
fn a_child_forks_and_waits_for_children_of_its_own() {
    Judge::scenario(&grandchildren).declare(["sum"]).run().assert_clean();
}

scenario!(
    fn forks_among_busy_threads() {
        // Dropped while they run: there is much to look after at each fork and drop.
        let [until_told, tell] = PrivateFd::pipe().expect("two descriptors");
        let until_told = fs::File::from(until_told.into_inherited().expect("ours"));
        for _ in 0..100 {
            drop(fork(|| i32::from((&until_told).read(&mut [0]).is_err())));
        }
        let stop = &AtomicBool::new(false);
        let right = thread::scope(|scope| {
            // Whatever this library locks, and std for its output, some thread holds all the time.
            let busy: [fn(); 4] = [
                || while_held(io::stdout().lock()),
                || while_held(io::stderr().lock()),
                || drop(PrivateFd::pipe()),
                || drop(fork(|| 0)),
            ];
            for keep_busy in busy {
                scope.spawn(move || {
                    while !stop.load(Relaxed) {
                        keep_busy();
                    }
                });
            }
            let right = (0..rounds()).all(|_| fork_and_wait(use_them_all) == 7);
            stop.store(true, Relaxed);
            right
        });
        check("codes", right, "each child did it all and ended");
        drop(tell);
        reap_all();
    }
);

/// In a child: takes every lock that a thread of its parent may have held.
fn use_them_all() -> i32 {
    print!("");
    eprint!("");
    drop(PrivateFd::pipe());
    drop(fork(|| 0));
    let code = fork_and_wait(|| 7);
    reap_all();
    code
}

/// Waits for the children that were dropped while they ran.
fn reap_all() {
    while nix::sys::wait::waitpid(None, None) != Err(nix::Error::ECHILD) {}
}

fn while_held<T>(_lock: T) {
    thread::yield_now();
}

/// About a second; more with STRESS=10.
fn rounds() -> u32 {
    let times = std::env::var("STRESS").ok().and_then(|times| times.parse().ok());
    80 * times.unwrap_or(1)
}

#[test]
fn a_child_never_waits_for_a_lock_of_its_parents_threads() {
    Judge::scenario(&forks_among_busy_threads).declare(["codes"]).run().assert_clean();
}

scenario!(
    fn forks_without_leave() {
        // The limit does not hold for root, which therefore becomes a user whom nobody else is.
        let nobody_else = 54_321;
        // SAFETY: the call takes nothing.
        let root = unsafe { libc::geteuid() } == 0;
        // SAFETY: the call takes numbers only.
        if root && unsafe { libc::setresuid(nobody_else, nobody_else, nobody_else) } != 0 {
            println!("skipped: root without the right to become another user");
            return;
        }
        setrlimit(Resource::RLIMIT_NPROC, 0, 0).expect("a limit may be lowered");

        let [read, write] = PrivateFd::pipe().expect("two descriptors");
        let error = match fork_handing(vec![write], |_| 0) {
            Ok(child) => {
                child.wait().expect("its status");
                println!("skipped: the limit on processes does not hold for this user");
                return;
            }
            Err(error) => error,
        };
        println!("{error}");
        check("errno", error.raw_os_error() == Some(libc::EAGAIN), "the system's number is EAGAIN");
        let mut end = fs::File::from(read.into_inherited().expect("it is this process's"));
        check(
            "closed",
            end.read(&mut [0]).is_ok_and(|bytes| bytes == 0),
            "what was handed over is closed",
        );
        let none = nix::sys::wait::waitpid(None, None);
        check("none", none == Err(nix::Error::ECHILD), "no child exists");
    }
);

#[test]
fn a_fork_that_fails_is_an_error_that_names_the_limit() {
    let judge = Judge::scenario(&forks_without_leave);
    let report = judge.declare(["errno", "closed", "none"]).run();
    if report.stdout().starts_with("skipped") {
        eprintln!("NOT TESTED, {}", report.stdout());
        return;
    }
    report.assert_clean();
    let error = report.stdout();
    assert!(error.starts_with("can't fork: "), "{error}");
    assert!(
        error.contains("RLIMIT_NPROC, processes and threads of this user, is 0 (`ulimit -u`)"),
        "{error}"
    );
}
