//! Many honest workers beside as many sockets that say nothing. STRESS=5 is a thousand of each.

mod support;

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use distributed::{Cursor, Manager, RemoteTasks, TaskQueue, Value};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use support::{AtEnd, key, serve, times};

const ABSENCE: Duration = Duration::from_secs(60);

#[test]
fn many_workers_do_their_tasks_beside_as_many_silent_sockets() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("it can be asked");
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(65_536), hard).expect("up to the hard limit");
    let many = 200 * usize::try_from(times()).expect("small");
    let (serving, server) = serve("127.0.0.1:0");
    let manager = Manager::connect(server, &key()).expect("it is there");
    let mut master =
        RemoteTasks::open(&manager, "get_task_queue", ABSENCE).expect("it is registered");
    let (done, working, start) = (AtomicBool::new(false), AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        let _end = AtEnd(&done);
        // Whoever is thrown out is there again soon.
        scope.spawn(|| {
            let silent = || TcpStream::connect(server).expect("it listens");
            let mut crowd: Vec<_> = (0..many).map(|_| silent()).collect();
            while !done.load(Ordering::Relaxed) {
                for socket in &mut crowd {
                    // The challenge comes, and then, when it is over, the end.
                    socket.set_nonblocking(true).expect("a socket");
                    if socket.read(&mut [0; 256]).is_ok_and(|len| len == 0) {
                        *socket = silent();
                    }
                }
                #[expect(clippy::disallowed_methods, reason = "how often they come back")]
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        for _ in 0..many {
            let work = || {
                // They come all at once, as after a restart: more strangers than the server has room for.
                let manager = Manager::at(server, &key());
                let mut tasks =
                    RemoteTasks::open(&manager, "get_task_queue", ABSENCE).expect("it lets us in");
                working.fetch_add(1, Ordering::Relaxed);
                while !done.load(Ordering::Relaxed) {
                    for lease in tasks.take(1, Duration::from_secs(1)).expect("it answers") {
                        tasks.complete(&[(lease.fence(), lease.body.clone())]).expect("it answers");
                    }
                }
            };
            let thread = std::thread::Builder::new().stack_size(128 << 10);
            thread.spawn_scoped(scope, work).expect("a thread can be started");
        }
        while working.load(Ordering::Relaxed) < many {
            assert!(start.elapsed() < ABSENCE, "{} are there", working.load(Ordering::Relaxed));
            std::thread::yield_now();
        }
        println!("{many} workers are there after {:?}", start.elapsed());
        let start = Instant::now();
        let tasks: Vec<_> = (0..10 * many).map(|n| (n.to_string(), Value::None)).collect();
        master.put(&tasks).expect("there is room");
        let (mut cursor, mut seen) = (Cursor::default(), 0);
        while seen < tasks.len() {
            let results = master.results(&cursor, 10_000, ABSENCE).expect("it answers");
            assert!(!results.is_empty(), "{seen} of {} and no more", tasks.len());
            for result in results {
                (cursor, seen) = (result.cursor, seen + 1);
            }
        }
        println!("{seen} tasks in {:?}", start.elapsed());
    });
    let stats = master.stats().expect("it answers");
    assert_eq!((stats.done, stats.ready, stats.leased), (10 * many, 0, 0));
    let threads = std::fs::read_dir(format!("/proc/{}/task", serving.pid())).expect("it lives");
    assert_eq!(threads.count(), 1);
}
