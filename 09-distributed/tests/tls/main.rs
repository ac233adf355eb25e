//! Over TLS everything works as without it, and nobody else has a part in it.

#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../support/mod.rs"]
mod support;

mod files;
mod strangers;
mod workers;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use distributed::{Limits, Manager, QueueConfig, RemoteTasks, Running, Server, Tls};
use judge::Judge;
use support::{PROGRAM, key};

const NONE: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(10);

/// A file for each side, in a folder that goes with the test.
struct Pair(PathBuf);

impl Pair {
    fn new() -> Pair {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("cargo's own folder can be written to");
        let pair = Pair(folder);
        Tls::generate(pair.file("server"), pair.file("client")).expect("they are new");
        pair
    }

    fn file(&self, side: &str) -> PathBuf {
        self.0.join(format!("{side}.pem"))
    }

    fn tls(&self, side: &str) -> Tls {
        Tls::from_file(self.file(side)).expect("it was made")
    }

    /// The key, the certificate to it, and that of the other side.
    fn blocks(&self, side: &str) -> [String; 3] {
        let text = std::fs::read_to_string(self.file(side)).expect("it was made");
        let blocks = text.split("-----BEGIN ").skip(1).map(|rest| format!("-----BEGIN {rest}"));
        blocks.collect::<Vec<_>>().try_into().expect("three of them")
    }

    /// Who has this key and shows that certificate, and trusts this one.
    fn mixed(&self, blocks: &[&str]) -> Tls {
        let file = self.file("mixed");
        let _ = std::fs::remove_file(&file);
        std::fs::write(&file, blocks.concat()).expect("it is ours");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("it is ours");
        Tls::from_file(&file).expect("it has what is needed")
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn serve(tls: Tls, config: QueueConfig, handshake: Duration) -> Running {
    let limits = Limits { handshake, ..Limits::default() };
    let server = Server::new(key()).tls(tls).limits(limits).share("queue", config);
    server.listen("127.0.0.1:0").and_then(|it| it.spawn()).expect("it serves")
}

/// A server and a pair of files, the server's and ours.
fn serving() -> (Running, Pair) {
    let pair = Pair::new();
    (serve(pair.tls("server"), QueueConfig::default(), LONG), pair)
}

/// The lesson's program as the server.
fn serve_with(pair: &Pair) -> (judge::Running, SocketAddr) {
    let serve = Judge::program(PROGRAM).args(["serve", "--listen", "127.0.0.1:0", "--tls"]);
    let mut serving = serve.arg(pair.file("server")).env("AUTHKEY", "abc").start();
    let line = serving.wait_for_line(|line| line.starts_with("Serving "));
    let address = line.rsplit(' ').next().and_then(|word| word.parse().ok());
    (serving, address.expect("it says where"))
}

fn at(address: SocketAddr, tls: Tls) -> Manager {
    Manager::at(address, &key()).tls(tls)
}

struct Setup(Running, Pair);

impl conformance::Setup for Setup {
    type Queue = RemoteTasks;
    fn new(config: QueueConfig) -> Setup {
        let pair = Pair::new();
        Setup(serve(pair.tls("server"), config, LONG), pair)
    }
    fn client(&self) -> RemoteTasks {
        let manager = at(self.0.address(), self.1.tls("client"));
        RemoteTasks::open(&manager, "queue", LONG).expect("it is registered")
    }
}

conformance!(Setup);
