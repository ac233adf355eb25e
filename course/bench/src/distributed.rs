//! Lesson 9: master and workers, with a server between them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ::distributed::{
    Cursor, Key, Manager, QueueConfig, RedisTasks, RemoteQueue, RemoteTasks, Server, TaskQueue,
    Value,
};

use crate::measure::{Asked, Measure, Outcome, Sides, Unit};
use crate::python;

/// Tasks of the measures in the tutorial's shape.
const FEW: u64 = 500;
/// Tasks of the measure in batches.
const MANY: u64 = 2_000;
const BATCH: usize = 100;

const THEIRS: &str = "Python's server, Rust workers";
const ALL_PYTHON: &str = "Python throughout";

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "distributed/tutorial",
        job: "500 tasks in the tutorial's shape, one worker",
        unit: Unit::Rate("tasks"),
        units: FEW,
        asked: &[Asked::AtLeast(4.0, THEIRS)],
        pinned: false,
        sides: one_worker,
    },
    Measure {
        name: "distributed/tutorial-4",
        job: "500 tasks in the tutorial's shape, four workers",
        unit: Unit::Rate("tasks"),
        units: FEW,
        asked: &[Asked::AtLeast(4.0, THEIRS)],
        pinned: false,
        sides: four_workers,
    },
    Measure {
        name: "distributed/python-workers",
        job: "500 tasks, master and worker in Python as they are",
        unit: Unit::Rate("tasks"),
        units: FEW,
        asked: &[Asked::AtLeast(1.5, ALL_PYTHON)],
        pinned: false,
        sides: python_worker,
    },
    Measure {
        name: "distributed/batches",
        job: "2,000 tasks on lease, in batches of 100",
        unit: Unit::Rate("tasks"),
        units: MANY,
        asked: &[Asked::AtLeast(80.0, THEIRS)],
        pinned: false,
        sides: batches,
    },
    Measure {
        name: "distributed/redis",
        job: "2,000 tasks on lease, in batches of 100, in a Redis server with a log",
        unit: Unit::Rate("tasks"),
        units: MANY,
        asked: &[],
        pinned: false,
        sides: redis,
    },
    Measure {
        name: "distributed/put",
        job: "put one value",
        unit: Unit::TimeOf("put"),
        units: 1,
        asked: &[Asked::AtMost(1.3, "a TCP round trip")],
        pinned: false,
        sides: put,
    },
];

const ABSENCE: Duration = Duration::from_secs(5);

/// Our server, for as long as the measuring process lives.
fn ours() -> Outcome<SocketAddr> {
    let server = Server::new(Key::new(b"abc"))
        .share("tasks", QueueConfig::default())
        .share("results", QueueConfig::default())
        .listen("127.0.0.1:0")?;
    let address = server.address();
    thread::spawn(|| server.run());
    Ok(address)
}

/// Python's, in a process that ends with this value.
struct Theirs(Child, SocketAddr);

impl Theirs {
    fn start() -> Outcome<Theirs> {
        let mut child = Command::new(python::interpreter())
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}: skipped", python::interpreter()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        Ok(Theirs(child, ([127, 0, 0, 1], line.trim().parse()?).into()))
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends with its standard input.
const SERVER: &str = "
import os, queue, sys, threading
from multiprocessing.managers import BaseManager
class M(BaseManager): pass
tasks, results = queue.Queue(), queue.Queue()
M.register('tasks', callable=lambda: tasks)
M.register('results', callable=lambda: results)
server = M(address=('127.0.0.1', 0), authkey=b'abc').get_server()
print(server.address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
";

/// A master whose workers, threads with a connection of their own each, square numbers.
struct Crew {
    tasks: RemoteQueue,
    results: RemoteQueue,
}

impl Crew {
    fn start(address: SocketAddr, workers: usize) -> Outcome<Crew> {
        let manager = Manager::connect(address, &Key::new(b"abc"))?;
        for _ in 0..workers {
            let (mut tasks, mut results) = (manager.queue("tasks")?, manager.queue("results")?);
            thread::spawn(move || -> Result<(), ::distributed::CallError> {
                loop {
                    let number: u64 = tasks.get()?;
                    results.put(&format!("{number} * {number} = {}", number * number))?;
                }
            });
        }
        Ok(Crew { tasks: manager.queue("tasks")?, results: manager.queue("results")? })
    }

    fn run(&mut self, count: u64) -> Outcome {
        for number in 0..count {
            self.tasks.put(&number)?;
        }
        let mut length = 0;
        for _ in 0..count {
            length += self.results.get::<String>()?.len();
        }
        if length < 9 * count as usize { Err("results are missing".into()) } else { Ok(()) }
    }
}

fn tutorial(sides: &mut Sides, workers: usize, count: u64) -> Outcome {
    let mut crew = Crew::start(ours()?, workers)?;
    sides.ours("our server, Rust workers", move || crew.run(count));
    theirs(sides, workers, count)
}

fn theirs(sides: &mut Sides, workers: usize, count: u64) -> Outcome {
    let mut server = None;
    sides.rival(THEIRS, move || {
        if server.is_none() {
            let started = Theirs::start()?;
            let crew = Crew::start(started.1, workers)?;
            server = Some((started, crew));
        }
        let (_, crew) = server.as_mut().ok_or("not started")?;
        crew.run(count)
    });
    Ok(())
}

fn one_worker(sides: &mut Sides) -> Outcome {
    tutorial(sides, 1, FEW)?;
    sides.python(ALL_PYTHON, &python_crew(None));
    Ok(())
}

fn four_workers(sides: &mut Sides) -> Outcome {
    tutorial(sides, 4, FEW)
}

fn python_worker(sides: &mut Sides) -> Outcome {
    sides.python_as_ours("our server, Python master and worker", &python_crew(Some(ours()?)));
    sides.python(ALL_PYTHON, &python_crew(None));
    Ok(())
}

/// A master and a worker, a process of its own each, and a server if there is none yet.
fn python_crew(server: Option<SocketAddr>) -> String {
    let port = server.map_or(0, |address| address.port());
    format!(
        "
import os, queue, multiprocessing
from multiprocessing.managers import BaseManager
class Manager(BaseManager): pass
class Serving(BaseManager): pass
tasks, results = queue.Queue(), queue.Queue()
Serving.register('tasks', callable=lambda: tasks)
Serving.register('results', callable=lambda: results)
Manager.register('tasks')
Manager.register('results')
context = multiprocessing.get_context('fork')
port = {port}
if not port:
    serving = Serving(address=('127.0.0.1', 0), authkey=b'abc', ctx=context)
    serving.start()
    port = serving.address[1]
def connect():
    manager = Manager(address=('127.0.0.1', port), authkey=b'abc')
    manager.connect()
    return manager.tasks(), manager.results()
def work():
    tasks, results = connect()
    while True:
        n = tasks.get(timeout=60)
        results.put('%d * %d = %d' % (n, n, n * n))
context.Process(target=work, daemon=True).start()
mine, theirs = connect()
def run():
    for n in range({FEW}):
        mine.put(n)
    for n in range({FEW}):
        theirs.get(timeout=60)
"
    )
}

fn batches(sides: &mut Sides) -> Outcome {
    let manager = Manager::connect(ours()?, &Key::new(b"abc"))?;
    let open = || RemoteTasks::open(&manager, "tasks", ABSENCE);
    let (worker, master) = (open()?, open()?);
    sides.ours("our server, take and complete", lent(worker, master));
    theirs(sides, 1, MANY)
}

/// A worker, a thread that squares numbers, and what its master does.
fn lent<Queue: TaskQueue + 'static>(
    mut worker: Queue,
    mut master: Queue,
) -> impl FnMut() -> Outcome {
    thread::spawn(move || -> Result<(), ::distributed::QueueError> {
        loop {
            let leases = worker.take(BATCH, ABSENCE)?;
            let square = |body: &Value| match body {
                Value::Int(number) => Value::Int(number * number),
                _ => Value::None,
            };
            let done: Vec<_> = leases.iter().map(|it| (it.fence(), square(&it.body))).collect();
            worker.complete(&done)?;
        }
    });
    move || {
        let tasks: Vec<_> =
            (0..MANY).map(|n| (n.to_string(), Value::Int(n.cast_signed()))).collect();
        for batch in tasks.chunks(BATCH) {
            master.put(batch)?;
        }
        let (mut cursor, mut seen) = (Cursor::default(), 0);
        while seen < MANY {
            let results = master.results(&cursor, 1000, ABSENCE)?;
            seen += results.len() as u64;
            cursor = results.last().ok_or("results are missing")?.cursor.clone();
        }
        Ok(master.purge()?)
    }
}

/// A Redis server that writes its log to the disk once a second. It ends with its standard input, and its files go with it.
struct Redis(Child, String);

impl Redis {
    fn start() -> Outcome<Redis> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let script = "
            command -v redis-server >/dev/null || exit 1
            folder=$(mktemp -d) && echo
            redis-server --port $1 --bind 127.0.0.1 --dir $folder --save '' \\
                --appendonly yes --appendfsync everysec --stream-node-max-entries 16 >/dev/null &
            cat >/dev/null; kill $!; wait; rm -r $folder";
        let mut child = Command::new("sh")
            .args(["-c", script, "sh", &port])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        let redis = Redis(child, format!("redis://127.0.0.1:{port}"));
        if line.is_empty() { Err("redis-server is not here: skipped".into()) } else { Ok(redis) }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn redis(sides: &mut Sides) -> Outcome {
    let server = Redis::start()?;
    let open = || RedisTasks::open(&server.1, None, "tasks", ABSENCE);
    let mut run = lent(open()?, open()?);
    sides.ours("RedisTasks, take and complete", move || {
        let _server = &server;
        run()
    });
    let manager = Manager::connect(ours()?, &Key::new(b"abc"))?;
    let open = || RemoteTasks::open(&manager, "tasks", ABSENCE);
    sides.rival("our server, in memory", lent(open()?, open()?));
    Ok(())
}

fn put(sides: &mut Sides) -> Outcome {
    let manager = Manager::connect(ours()?, &Key::new(b"abc"))?;
    let mut queue = manager.queue("tasks")?;
    let mut count = 0_u32;
    sides.ours("RemoteQueue::put", move || {
        queue.put(&3411)?;
        count += 1;
        // Now and then there must be room again; it is not worth counting.
        if count.is_multiple_of(50_000) {
            while queue.get_timeout::<i32>(Duration::ZERO).is_ok() {}
        }
        Ok(())
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut stream = TcpStream::connect(listener.local_addr()?)?;
    let (mut other, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    other.set_nodelay(true)?;
    thread::spawn(move || -> std::io::Result<()> {
        let mut buffer = [0; 64];
        loop {
            other.read_exact(&mut buffer[..40])?;
            other.write_all(&buffer[..20])?;
        }
    });
    sides.limit("a TCP round trip", move || {
        let mut buffer = [0; 40];
        stream.write_all(&buffer)?;
        Ok(stream.read_exact(&mut buffer[..20])?)
    });
    let script = "
import queue
from multiprocessing.managers import BaseManager
class M(BaseManager): pass
M.register('tasks', callable=queue.Queue)
m = M(address=('127.0.0.1', 0), authkey=b'abc')
m.start()
tasks = m.tasks()
def run():
    tasks.put(3411)
";
    sides.python("Python throughout", script);
    Ok(())
}
