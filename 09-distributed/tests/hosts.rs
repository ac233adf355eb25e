//! Two hosts, as network namespaces of one process, and a wire between them on which everything is lost: no end, no
//! reset, nothing.

mod support;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use distributed::{
    CallError, Limits, Manager, QueueConfig, RemoteTasks, Server, TaskQueue, Value, Verdict,
};
use judge::Judge;
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::{Pid, getegid, geteuid, gettid};
use support::key;

const HERE: &str = "10.9.0.1";
const THERE: &str = "10.9.0.2";
const CARDS: [&str; 3] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"];
/// How long each machine puts up with the other one's silence.
const SILENCE: Duration = Duration::from_secs(4);
/// For what must come.
const SOON: Duration = Duration::from_secs(30);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The other host: a thread in a network of its own, where other threads are started.
struct Host {
    orders: Sender<Box<dyn FnOnce() + Send>>,
    thread: Pid,
}

impl Host {
    fn new() -> Result<Host, Failure> {
        let (orders, received) = channel::<Box<dyn FnOnce() + Send>>();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let _ = tell.send(unshare(CloneFlags::CLONE_NEWNET).map(|()| gettid()));
            received.iter().for_each(|order| drop(std::thread::spawn(order)));
        });
        Ok(Host { orders, thread: told.recv()?? })
    }

    /// Has it done there. What comes of it can be waited for.
    fn start<T: Send + 'static>(&self, body: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
        let (tell, told) = channel();
        let order = move || drop(tell.send(body()));
        self.orders.send(Box::new(order)).expect("it lives as long as this");
        told
    }

    fn ip(&self, line: String) -> Result<(), Failure> {
        self.start(move || ip(&line)).recv()?
    }

    /// Whether what is sent arrives. If not, it goes to a network card that nobody has.
    fn wire(&self, works: bool) -> Result<(), Failure> {
        let [near, far] = if works { [CARDS[0], CARDS[1]] } else { [CARDS[2]; 2] };
        ip(&format!("neigh replace {THERE} lladdr {far} dev here nud permanent"))?;
        self.ip(format!("neigh replace {HERE} lladdr {near} dev there nud permanent"))
    }
}

fn ip(line: &str) -> Result<(), Failure> {
    let run = Command::new("ip").args(line.split(' ')).stdin(Stdio::null()).output()?;
    let error = String::from_utf8_lossy(&run.stderr);
    if run.status.success() { Ok(()) } else { Err(format!("ip {line}: {error}").into()) }
}

/// From here on this process has a network of its own, with another host in it.
fn two_hosts() -> Result<Host, Failure> {
    let (user, group) = (geteuid(), getegid());
    if user.is_root() {
        unshare(CloneFlags::CLONE_NEWNET)?;
    } else {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    }
    let there = Host::new()?;
    let ([near, far, _], thread) = (CARDS, there.thread);
    ip("link set lo up")?;
    ip(&format!(
        "link add here address {near} type veth peer name there address {far} netns {thread}"
    ))?;
    ip(&format!("addr add {HERE}/24 dev here"))?;
    ip("link set here up")?;
    there.ip(format!("addr add {THERE}/24 dev there"))?;
    there.ip("link set there up".to_owned())?;
    there.wire(true)?;
    Ok(there)
}

/// How many connections this host has to the other one: proc_pid_net(5).
fn connections() -> Result<usize, Failure> {
    let table = fs::read_to_string("/proc/self/net/tcp")?;
    let established = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        words[2].starts_with("0200090A:") && words[3] == "01"
    };
    Ok(table.lines().skip(1).filter(established).count())
}

fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "how long the wire is silent")]
    std::thread::sleep(time);
}

/// What this process has used.
fn cpu() -> Result<Duration, Failure> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = (used.user_time() + used.system_time()).num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

judge::scenario! {
    fn a_wire_that_goes_silent() -> Result<(), Failure> {
        let there = match two_hosts() {
            Ok(there) => there,
            Err(why) => {
                println!("SKIPPED: no second host here: {why}");
                return Ok(());
            }
        };
        let limits = Limits { silence: SILENCE, ..Limits::default() };
        let lease = QueueConfig { lease: Duration::from_secs(3), ..QueueConfig::default() };
        let server = Server::new(key()).limits(limits).share("tasks", lease);
        let server = server.share("plain", QueueConfig::default()).listen((HERE, 0))?.spawn()?;
        let near = Manager::connect(server.address(), &key())?;
        let far = Manager::at(server.address(), &key()).patience(SILENCE);
        let mut tasks = RemoteTasks::open(&near, "tasks", SOON)?;
        let mut plain = near.queue("plain")?;
        tasks.put(&[("1".to_owned(), Value::Int(1)), ("2".to_owned(), Value::Int(2))])?;

        // There, one works, and is lost in the middle of it, and one waits in `get`, without an end.
        let ((tell, told), manager) = (channel(), far.clone());
        let (order, orders) = channel::<()>();
        let worker = there.start(move || -> Result<Vec<Verdict>, Failure> {
            let mut tasks = RemoteTasks::open(&manager, "tasks", SOON)?;
            let mut verdicts = Vec::new();
            for _ in 0..2 {
                let lease = tasks.take(1, SOON)?.remove(0);
                tell.send(lease.id.clone())?;
                orders.recv()?;
                verdicts.extend(tasks.complete(&[(lease.fence(), Value::None)])?);
            }
            Ok(verdicts)
        });
        let waiter = there.start(move || far.queue("plain").map(|mut plain| plain.get::<i64>()));
        assert_eq!(told.recv_timeout(SOON)?, "1");
        while !format!("{:?}", plain.call("__str__", &[])?).contains("1 clients waiting") {
            std::thread::yield_now();
        }

        // For a moment everything is lost: that costs time, and nothing else.
        there.wire(false)?;
        order.send(())?;
        pause(Duration::from_millis(300));
        there.wire(true)?;
        assert_eq!(told.recv_timeout(SOON)?, "2");
        assert_eq!(tasks.stats()?.done, 1);
        assert_eq!(connections()?, 2);

        // And now for good.
        there.wire(false)?;
        let before = cpu()?;
        let lease = tasks.take(1, SOON)?.remove(0);
        assert_eq!((&*lease.id, lease.attempt), ("2", 2));
        assert_eq!(tasks.complete(&[(lease.fence(), Value::None)])?, [Verdict::Accepted]);
        // Who waits there is the first in the row, and what he is sent comes back.
        plain.put(&7)?;
        assert_eq!(plain.get_timeout::<i64>(SOON)?, 7);
        let waited = waiter.recv_timeout(SOON)??;
        assert!(matches!(waited, Err(CallError::Silent | CallError::Lost(_))), "{waited:?}");
        while connections()? > 0 {
            pause(Duration::from_millis(10));
        }
        let used = cpu()? - before;
        assert!(used < SILENCE / 4, "{used:?} of CPU time to wait");

        // The worker there has noticed nothing yet, and finds its way back by itself.
        there.wire(true)?;
        order.send(())?;
        let verdicts = worker.recv_timeout(SOON)??;
        assert_eq!(verdicts, [Verdict::Accepted, Verdict::LeaseLost]);
        assert_eq!(tasks.stats()?.done, 2);
        Ok(())
    }
}

#[test]
fn a_machine_that_is_gone_without_a_word_takes_nothing_along_and_nobody_waits_for_it_for_ever() {
    let report = Judge::scenario(&a_wire_that_goes_silent).deadline(Duration::from_secs(60)).run();
    assert_eq!(report.code(), Some(0), "{report}");
    eprint!("{}", report.stdout());
}
