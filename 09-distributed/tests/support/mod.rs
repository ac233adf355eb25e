//! What several tests need: a server in this process, and every Python of this machine.
#![allow(dead_code, reason = "each test binary uses its part of it")]

#[cfg(feature = "redis")]
pub(crate) mod redis;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use distributed::{Key, Manager, QueueConfig, RemoteQueue, Running, Server};
use judge::Judge;

/// The lesson's program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_distributed");

pub(crate) fn key() -> Key {
    Key::new(b"abc")
}

/// The tutorial's two queues, and some that show more.
pub(crate) fn server() -> Running {
    let only = |exposed: &[&'static str], capacity| QueueConfig {
        exposed: exposed.to_vec(),
        capacity,
        ..QueueConfig::default()
    };
    Server::new(key())
        .share("get_task_queue", QueueConfig::default())
        .share("get_result_queue", QueueConfig::default())
        .share("get_small_queue", QueueConfig { capacity: 2, ..QueueConfig::default() })
        .share("get_put_only", only(&["put"], 10))
        .fresh("new_queue", QueueConfig::default())
        .listen("127.0.0.1:0")
        .expect("a port is free")
        .spawn()
        .expect("a thread can be started")
}

pub(crate) fn manager(server: &Running) -> Manager {
    Manager::connect(server.address(), &key()).expect("the server is there")
}

/// Passes connections on to a server, what clients send through `change`, and tells what they sent.
pub(crate) fn between(
    server: SocketAddr,
    change: impl FnMut(&mut Vec<u8>) + Send + 'static,
) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    let (sender, sent) = channel();
    let change = Arc::new(Mutex::new(change));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(server) else { return };
            let (sender, change) = (sender.clone(), Arc::clone(&change));
            std::thread::spawn(move || {
                let mut change = |bytes: &mut Vec<u8>| (change.lock().expect("no panic"))(bytes);
                pass(client, far, &mut change, &sender);
            });
        }
    });
    (address, sent)
}

fn pass(
    mut client: TcpStream,
    mut far: TcpStream,
    change: &mut dyn FnMut(&mut Vec<u8>),
    sender: &Sender<Vec<u8>>,
) {
    let (mut back, mut near) =
        (far.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let _ = (near.set_nodelay(true), back.set_nodelay(true));
    let answers = std::thread::spawn(move || {
        let _ = std::io::copy(&mut back, &mut near);
        let _ = near.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = client.read(&mut buffer) {
        let mut bytes = buffer[..len].to_vec();
        change(&mut bytes);
        let _ = sender.send(bytes.clone());
        if far.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = far.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
    let _ = answers.join();
}

/// Where others keep the machine busy, a Python needs seconds to begin.
const AT_LAST: Duration = Duration::from_secs(60);

/// In a moment: who is waited for needs the processor, too.
fn look_again() {
    std::thread::park_timeout(Duration::from_millis(1));
}

/// Until as many wait in it.
pub(crate) fn wait_for_waiting(queue: &mut RemoteQueue, clients: usize) {
    let start = Instant::now();
    loop {
        let shown = queue.call("__str__", &[]).expect("it answers");
        if format!("{shown:?}").contains(&format!("{clients} clients waiting")) {
            return;
        }
        assert!(start.elapsed() < AT_LAST, "{shown:?}");
        look_again();
    }
}

pub(crate) fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < AT_LAST, "it does not happen");
        look_again();
    }
}

/// Of a process that lives: `T` if it is stopped.
pub(crate) fn state(pid: i32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit(") ").next()?.to_owned())
}

/// Runs a test with each Python of this machine, all at the same time: much of it is waiting.
pub(crate) fn with_each_python(test: impl Fn(&Path) + Sync) {
    with(pythons(), test);
}

/// With the oldest and the newest one: the handshake changed in between, in 3.12.
pub(crate) fn with_two_pythons(test: impl Fn(&Path) + Sync) {
    let mut pythons = pythons();
    let ends = [pythons.pop_first(), pythons.pop_last()];
    with(ends.into_iter().flatten().collect(), test);
}

fn with(pythons: BTreeMap<(u32, u32), PathBuf>, test: impl Fn(&Path) + Sync) {
    std::thread::scope(|scope| {
        for ((major, minor), python) in pythons {
            let test = &test;
            let run = move || test(&python);
            let thread = std::thread::Builder::new().name(format!("with Python {major}.{minor}"));
            thread.spawn_scoped(scope, run).expect("a thread can be started");
        }
    });
}

/// One Python 3 of each minor version from 3.8 on, by its version: those on the PATH, then those that a
/// version manager keeps in the home folder.
fn pythons() -> BTreeMap<(u32, u32), PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let kept = std::env::home_dir().unwrap_or_default().join(".pyenv/versions");
    let kept = std::fs::read_dir(kept).into_iter().flatten().flatten();
    folders.extend(kept.map(|entry| entry.path().join("bin")));
    let mut found = BTreeMap::new();
    for program in folders.iter().flat_map(|folder| interpreters(folder)) {
        let code = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)";
        let run =
            Command::new(&program).args(["-E", "-S", "-c", code]).stdin(Stdio::null()).output();
        let text = run.map(|run| String::from_utf8_lossy(&run.stdout).into_owned());
        let text = text.unwrap_or_default();
        let mut words = text.trim_end().splitn(3, ' ');
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let version = (number(), number());
        if let Some(path) = words.next().filter(|_| version >= (3, 8)) {
            found.entry(version).or_insert_with(|| PathBuf::from(path));
        }
    }
    if found.is_empty() {
        eprintln!(
            "SKIPPED: no python3 from 3.8 on is here, and what is promised about Python is not tested"
        );
    }
    found
}

fn interpreters(folder: &Path) -> Vec<PathBuf> {
    // No scripts: those of a version manager take their time, and may start any version, or none.
    let binary = |path: &PathBuf| {
        let start = File::open(path).and_then(|mut file| {
            let mut start = [0; 4];
            file.read_exact(&mut start).map(|()| start)
        });
        start.is_ok_and(|start| &start == b"\x7fELF")
    };
    let there = |name: &str| Some(folder.join(name)).filter(binary);
    let minors = (8..30).map(|minor| format!("python3.{minor}"));
    ["python3".to_owned()].into_iter().chain(minors).filter_map(|name| there(&name)).collect()
}

/// The lesson's server, as a process of its own, with the tutorial's key.
pub(crate) fn serve(address: &str) -> (judge::Running, SocketAddr) {
    let serve = Judge::program(PROGRAM).args(["serve", "--listen", address]);
    // It ends with the test, however long that was told to be.
    let serve = serve.deadline(Duration::from_secs(3600));
    let mut serving = serve.env("AUTHKEY", "abc").start();
    let line = serving.wait_for_line(|line| line.starts_with("Serving "));
    let address = line.rsplit(' ').next().and_then(|word| word.parse().ok());
    (serving, address.expect("it says where"))
}

/// A folder that goes with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Scratch {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("cargo's own folder can be written to");
        Scratch(folder)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A script of `tests/python`, to be run by this Python.
pub(crate) fn script(python: &Path, name: &str) -> Judge {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    Judge::program(python)
        .arg("-W")
        .arg("error")
        .arg(folder.join(name))
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// How long a test with random input runs: a second, or `STRESS` of them.
pub(crate) fn stress() -> Duration {
    Duration::from_secs(times().into())
}

/// How much longer tests are to be: `STRESS`.
pub(crate) fn times() -> u32 {
    std::env::var("STRESS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Set when it goes: threads that look at it end, also when a test fails.
pub(crate) struct AtEnd<'a>(pub(crate) &'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Random numbers from a seed (xorshift64): what failed once fails again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).expect("below a usize")
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Flips a bit, changes, drops, repeats or adds bytes, or cuts the end off.
    pub(crate) fn spoil(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return bytes.push(self.roll().to_le_bytes()[0]);
        }
        let (at, byte) = (self.below(bytes.len()), self.roll().to_le_bytes()[0]);
        match self.below(6) {
            0 => bytes[at] ^= 1 << (byte % 8),
            1 => bytes[at] = byte,
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, byte),
            4 => bytes.truncate(at),
            _ => {
                let end = (at + usize::from(byte % 16)).min(bytes.len());
                bytes.extend_from_within(at..end);
            }
        }
    }
}
