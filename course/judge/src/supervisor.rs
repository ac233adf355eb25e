//! The process above the program: it adopts orphans, counts, waits, and ends everything.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::case;
use crate::message::{Event, Order};
use crate::proc::{self, Stat};
use crate::report::{Checked, Ending, Report, Seen};
use crate::role;
use crate::spec::{Limit, Spec};
use crate::wire::{self, Wire};

/// How often it looks at the processes while nothing else happens.
const LOOK: Duration = Duration::from_millis(10);
/// How long what the program started may outlive it: a child that its parent's end ends needs a
/// moment for that.
const GRACE: Duration = Duration::from_millis(300);

pub(crate) fn main() -> i32 {
    let mut orders = io::stdin();
    let Ok(Some(spec)) = wire::receive::<Spec>(&mut orders) else { return 1 };
    let folder = match make_folder() {
        Ok(folder) => folder,
        Err(error) => {
            let why = format!("no folder for the run: {error}");
            return done(Report { trouble: vec![why], kind: 4, ..Report::default() });
        }
    };
    let (sender, incoming) = channel();
    std::thread::spawn(move || {
        while let Ok(Some(order)) = wire::receive::<Order>(&mut orders) {
            if sender.send(order).is_err() {
                return;
            }
        }
    });
    let report = Supervision::begin(spec, &folder, incoming).and_then(Supervision::attend);
    let report = report.unwrap_or_else(|error| {
        kill_all();
        Report { trouble: vec![error.to_string()], kind: 4, ..Report::default() }
    });
    let _ = fs::remove_dir_all(&folder);
    done(report)
}

fn done(report: Report) -> i32 {
    i32::from(tell(&Event::Done(Box::new(report))).is_err())
}

fn tell(event: &Event) -> io::Result<()> {
    wire::send(&mut io::stdout().lock(), event)
}

fn make_folder() -> io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("judge-{}", std::process::id()));
    // Left by a supervisor of the same number that was killed.
    let _ = fs::remove_dir_all(&folder);
    DirBuilder::new().mode(0o711).create(&folder)?;
    // A scenario may become another user.
    DirBuilder::new().create(folder.join("tmp"))?;
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    File::create(folder.join("checks"))?;
    fs::set_permissions(folder.join("checks"), fs::Permissions::from_mode(0o666))?;
    Ok(folder)
}

/// An output of the program, kept up to a cap.
struct Output {
    pipe: Option<OwnedFd>,
    kept: Vec<u8>,
    /// Whether the test is told as it comes.
    told: bool,
}

struct Supervision {
    report: Report,
    spec: Spec,
    folder: PathBuf,
    orders: Receiver<Order>,
    main: Pid,
    stdin: Option<OwnedFd>,
    outputs: [Output; 2],
    start: Instant,
    seen: BTreeMap<(i32, u64), Seen>,
    ipc_before: Vec<String>,
}

impl Supervision {
    fn begin(spec: Spec, folder: &Path, orders: Receiver<Order>) -> io::Result<Supervision> {
        let mut report = Report { declared: spec.declared.clone(), ..Report::default() };
        report.means.push("session and process group of its own".to_owned());
        match nix::sys::prctl::set_child_subreaper(true) {
            Ok(()) => report.means.push("subreaper: orphans come to the supervisor".to_owned()),
            Err(error) => report.means.push(format!("no subreaper ({error}): orphans escape")),
        }
        let mut body = Vec::new();
        spec.put(&mut body);
        fs::write(folder.join("spec"), body)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("judge-case").env(role::VARIABLE, role::CASE).env(case::FOLDER, folder);
        let mut stdin = None;
        let mut terminal = None;
        if spec.terminal {
            let pty = nix::pty::openpty(None, None)?;
            command.stdin(pty.slave.try_clone()?).stdout(pty.slave.try_clone()?).stderr(pty.slave);
            stdin = Some(pty.master.try_clone()?);
            terminal = Some(pty.master);
        } else {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            match &spec.stdin {
                Some(bytes) => {
                    fs::write(folder.join("stdin"), bytes)?;
                    command.stdin(File::open(folder.join("stdin"))?);
                }
                None => {
                    command.stdin(Stdio::piped());
                }
            }
        }
        let ipc_before = ipc_names();
        let start = Instant::now();
        let mut child = command.spawn()?;
        drop(command);
        let main = Pid::from_raw(child.id().cast_signed());
        stdin = stdin.or_else(|| child.stdin.take().map(OwnedFd::from));
        let stdout = terminal.or_else(|| child.stdout.take().map(OwnedFd::from));
        let stderr = child.stderr.take().map(OwnedFd::from);
        for pipe in [&stdout, &stderr].into_iter().flatten() {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        report.pid = main.as_raw();
        let outputs = [
            Output { pipe: stdout, kept: Vec::new(), told: spec.stdin.is_none() },
            Output { pipe: stderr, kept: Vec::new(), told: false },
        ];
        let folder = folder.to_owned();
        tell(&Event::Started(main.as_raw()))?;
        Ok(Supervision {
            report,
            spec,
            folder,
            orders,
            main,
            stdin,
            outputs,
            start,
            seen: BTreeMap::new(),
            ipc_before,
        })
    }

    fn attend(mut self) -> io::Result<Report> {
        let ending = loop {
            self.pump(LOOK)?;
            if !self.obey() {
                break Ending::Deadline;
            }
            let living = self.look();
            if let Some(ending) = self.ended()? {
                break ending;
            }
            if self.start.elapsed() >= self.spec.deadline {
                break Ending::Deadline;
            }
            let most = self.spec.limits.iter().find_map(|limit| match limit {
                Limit::Processes(most) => Some(*most),
                _ => None,
            });
            if most.is_some_and(|most| living > most) {
                break Ending::TooManyProcesses;
            }
        };
        self.report.elapsed = self.start.elapsed();
        self.report.set_ending(ending);
        match ending {
            Ending::Deadline => self.report.stuck = crate::stuck::explain(std::process::id()),
            Ending::Exited(_) | Ending::Signaled(_) => self.wait_for_the_rest()?,
            _ => {}
        }
        kill_all();
        // What is in the pipes by now is all that there will be.
        self.pump(Duration::ZERO)?;
        self.collect();
        Ok(self.report)
    }

    /// Takes what the program wrote; waits for it at most that long.
    fn pump(&mut self, wait: Duration) -> io::Result<()> {
        let open = self.outputs.iter().filter_map(|output| output.pipe.as_ref());
        let mut fds: Vec<PollFd> =
            open.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let cap = usize::try_from(self.spec.output_cap).unwrap_or(usize::MAX);
        for output in &mut self.outputs {
            // At most this much in one go: a flood must not keep us from the deadline.
            for _ in 0..16 {
                let Some(pipe) = &output.pipe else { break };
                let mut buffer = [0; 64 << 10];
                match nix::unistd::read(pipe, &mut buffer) {
                    Ok(0) | Err(Errno::EIO) => output.pipe = None,
                    Ok(count) => {
                        let room = cap.saturating_sub(output.kept.len()).min(count);
                        output.kept.extend(&buffer[..room]);
                        self.report.truncated |= room < count;
                        if output.told {
                            tell(&Event::Stdout(buffer[..count].to_vec()))?;
                        }
                    }
                    Err(Errno::EAGAIN) => break,
                    Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Does what the test orders; false when the test has gone.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Signal(signal)) => {
                    // Not reaped before `ended`, so the number is still the program's.
                    let _ = Signal::try_from(signal).map(|signal| kill(self.main, signal));
                }
                Ok(Order::SignalGroup(signal)) => {
                    let _ = Signal::try_from(signal).map(|signal| killpg(self.main, signal));
                }
                Ok(Order::Stdin(bytes)) => {
                    if let Some(stdin) = &self.stdin {
                        let mut rest = bytes.as_slice();
                        while let Ok(count @ 1..) = nix::unistd::write(stdin, rest) {
                            rest = &rest[count..];
                        }
                    }
                }
                Ok(Order::CloseStdin) => self.stdin = None,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Notes every process that there is; returns how many threads live.
    fn look(&mut self) -> u64 {
        let now = self.start.elapsed();
        let mut living = 0;
        let stats = proc::descendants(std::process::id().cast_signed());
        let keys: Vec<_> = stats.iter().map(Stat::key).collect();
        for stat in stats {
            let threads = if stat.is_zombie() { 0 } else { proc::threads(stat.pid).len() as u64 };
            living += threads;
            let seen = self.seen.entry(stat.key()).or_insert_with(|| Seen {
                pid: stat.pid,
                parent: stat.parent,
                name: stat.name.clone(),
                threads,
                start: now,
                end: None,
            });
            seen.threads = seen.threads.max(threads);
            seen.name = stat.name;
        }
        for (key, seen) in &mut self.seen {
            if seen.end.is_none() && !keys.contains(key) {
                seen.end = Some(now);
            }
        }
        living
    }

    /// Reaps the program if it has ended.
    fn ended(&mut self) -> io::Result<Option<Ending>> {
        match waitpid(self.main, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => Ok(Some(Ending::Exited(code))),
            Ok(WaitStatus::Signaled(_, signal, _)) => Ok(Some(Ending::Signaled(signal as i32))),
            Ok(_) | Err(Errno::EINTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// After the program's own end: who is still there, and whom has nobody waited for?
    fn wait_for_the_rest(&mut self) -> io::Result<()> {
        let end = Instant::now() + GRACE;
        loop {
            self.pump(Duration::ZERO)?;
            loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => break,
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(_) => return Ok(()),
                }
            }
            if Instant::now() >= end {
                break;
            }
            let _ = poll(&mut [], PollTimeout::from(1u8));
        }
        for stat in proc::descendants(std::process::id().cast_signed()) {
            if !stat.is_zombie() {
                let line = format!("process {} ({}), state {}", stat.pid, stat.name, stat.state);
                self.report.left_over.orphans.push(line);
            }
        }
        Ok(())
    }

    fn collect(&mut self) {
        let report = &mut self.report;
        let [stdout, stderr] = &mut self.outputs;
        report.stdout = std::mem::take(&mut stdout.kept);
        report.stderr = std::mem::take(&mut stderr.kept);
        report.processes = std::mem::take(&mut self.seen).into_values().collect();
        if let Ok(why) = fs::read_to_string(self.folder.join("trouble")) {
            report.trouble.push(why);
            report.set_ending(Ending::NotStarted);
        }
        let mut checks = File::open(self.folder.join("checks")).ok();
        while let Some(file) = &mut checks {
            let Ok(Some(checked)) = wire::receive::<Checked>(file) else { break };
            match checked.name.as_str() {
                "\u{0}descriptor" => report.left_over.descriptors.push(checked.sentence),
                "\u{0}zombie" => report.left_over.zombies.push(checked.sentence),
                _ => report.checks.push(checked),
            }
        }
        for entry in fs::read_dir(self.folder.join("tmp")).into_iter().flatten().flatten() {
            report.left_over.files.push(entry.file_name().to_string_lossy().into_owned());
        }
        let new = ipc_names().into_iter().filter(|name| !self.ipc_before.contains(name));
        report.left_over.ipc.extend(new);
    }
}

/// Ends every process below this one: first it stops them all, so that none can start another while
/// the list is read. A stopped process dies of SIGKILL all the same.
fn kill_all() {
    let this = std::process::id().cast_signed();
    let living = || proc::descendants(this).into_iter().filter(|stat| !stat.is_zombie());
    let signal = |stat: &Stat, signal| {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(stat.pid), signal);
    };
    loop {
        // One that does not stop waits for a device; it can't fork meanwhile.
        for _ in 0..1000 {
            let running: Vec<Stat> = living().filter(|it| !"TtD".contains(it.state)).collect();
            if running.is_empty() {
                break;
            }
            running.iter().for_each(|stat| signal(stat, Signal::SIGSTOP));
        }
        living().for_each(|stat| signal(&stat, Signal::SIGKILL));
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return,
                Ok(WaitStatus::StillAlive) => break,
                _ => {}
            }
        }
        let _ = poll(&mut [], PollTimeout::from(1u8));
    }
}

/// System V objects by their first fields, and names in the file systems of POSIX objects.
fn ipc_names() -> Vec<String> {
    let mut names = Vec::new();
    for kind in ["shm", "msg", "sem"] {
        let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let id = line.split_whitespace().nth(1).unwrap_or("?");
            names.push(format!("System V {kind} {id}"));
        }
    }
    for folder in ["/dev/shm", "/dev/mqueue"] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            names.push(entry.path().display().to_string());
        }
    }
    names
}
