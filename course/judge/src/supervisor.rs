//! The process above the program: it adopts orphans, counts, waits, and ends everything.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::census::Census;
use crate::message::{Event, Order};
use crate::objects::Objects;
use crate::outputs::{self, Input, Output};
use crate::proc::{self, Stat};
use crate::report::{Checked, Ending, Report};
use crate::spec::{Limit, Spec};
use crate::wire::{self, Wire};
use crate::{case, folder, group, isolate, role, stuck, sweep};

/// How often it looks at the processes while nothing else happens.
const LOOK: Duration = Duration::from_millis(10);
/// How long what the program started may outlive it: a child that its parent's end ends needs a
/// moment for that. It is waited for only as long as there is somebody.
const GRACE: Duration = Duration::from_millis(300);
/// And how long if it does not come to rest.
const MOST_GRACE: Duration = Duration::from_secs(3);
/// How long an isolated program may take to say which number it has outside.
const SETTLING: Duration = Duration::from_secs(10);
pub(crate) fn main() -> i32 {
    let Ok(Some(spec)) = wire::receive::<Spec>(&mut Orders) else { return 1 };
    let report = match std::env::var_os(role::FOLDER) {
        Some(folder) => run(spec, Path::new(&folder)),
        None => Err(io::Error::other("no folder for the run could be made in the TMPDIR")),
    };
    let report = report.unwrap_or_else(|error| {
        sweep::end_below(own_pid());
        Report::not_started(error.to_string())
    });
    i32::from(tell(&Event::Done(Box::new(report))).is_err())
}

fn run(spec: Spec, folder: &Path) -> io::Result<Report> {
    let mut report = Supervision::begin(spec, folder)?.attend()?;
    if let Err(error) = folder::remove(folder) {
        report.trouble.push(format!("{} can't be removed: {error}", folder.display()));
    }
    Ok(report)
}

fn own_pid() -> i32 {
    std::process::id().cast_signed()
}

fn tell(event: &Event) -> io::Result<()> {
    wire::send(&mut io::stdout().lock(), event)
}

/// What the test sends, without a buffer: what is in one can't be polled.
struct Orders;

impl Read for Orders {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(io::stdin(), buffer)?)
    }
}

struct Supervision {
    report: Report,
    spec: Spec,
    folder: PathBuf,
    signals: SignalFd,
    /// The program's first process.
    main: Pid,
    /// Whose descendants the program's processes are.
    root: i32,
    stdin: Input,
    outputs: [Output; 2],
    start: Instant,
    census: Census,
    objects: Objects,
}

impl Supervision {
    fn begin(spec: Spec, folder: &Path) -> io::Result<Supervision> {
        let mut report = Report { declared: spec.declared.clone(), ..Report::default() };
        // A child's end wakes the poll; and a reader that has gone is an error, not our end.
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGCHLD);
        signals.add(Signal::SIGPIPE);
        signals.thread_block()?;
        signals.remove(Signal::SIGPIPE);
        let signals =
            SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;

        let means = &mut report.means;
        means.push("session and process group of its own".to_owned());
        match nix::sys::prctl::set_child_subreaper(true) {
            Ok(()) => means.push("subreaper: orphans come to the supervisor".to_owned()),
            Err(error) => means.push(format!("no subreaper ({error}): orphans escape")),
        }
        means.push("guardian: a killed or stopped supervisor frees nobody".to_owned());
        means.extend(spec.limits.iter().map(Limit::means));
        means.extend(group::make(folder, spec.most_processes()));
        let mut isolated = false;
        if spec.isolated {
            let (entered, said) = isolate::enter(folder);
            isolated = entered;
            means.extend(said);
        }
        let mut body = Vec::new();
        spec.put(&mut body);
        fs::write(folder.join(folder::SPEC), body)?;

        let role = if isolated { role::INIT } else { role::CASE };
        let mut command = Command::new("/proc/self/exe");
        command.arg0(format!("judge-{role}")).env(role::VARIABLE, role);
        let plan = outputs::plan(&mut command, &spec, folder)?;
        let objects = Objects::before(isolated, folder);
        // Before it can kill us.
        tell(&Event::Begins(folder.as_os_str().as_bytes().to_vec()))?;
        let start = Instant::now();
        let mut child = command.spawn()?;
        drop(command);
        let (stdin, outputs) = plan.take(&mut child)?;
        let child = child.id().cast_signed();
        let (main, root) =
            if isolated { (settled(folder, start + SETTLING)?, child) } else { (child, own_pid()) };
        report.pid = main;
        tell(&Event::Started(main, root))?;
        Ok(Supervision {
            report,
            spec,
            folder: folder.to_owned(),
            signals,
            main: Pid::from_raw(main),
            root,
            stdin,
            outputs,
            start,
            census: Census::default(),
            objects,
        })
    }

    fn attend(mut self) -> io::Result<Report> {
        let most = self.spec.most_processes();
        let mut next_look = Instant::now();
        let ending = loop {
            if Instant::now() >= next_look {
                if self.look() > most || group::was_full(&self.folder) {
                    break Ending::TooManyProcesses;
                }
                next_look = Instant::now() + LOOK;
            }
            if let Some(ending) = self.ended()? {
                break ending;
            }
            let left = self.spec.deadline.saturating_sub(self.start.elapsed());
            if left.is_zero() {
                break Ending::Deadline;
            }
            let wait = next_look.saturating_duration_since(Instant::now()).min(left);
            if !self.pump(wait)? {
                // The test has gone: nobody wants to know.
                break Ending::Unknown;
            }
        };
        self.report.elapsed = self.start.elapsed();
        // A program may come to terms with a refusal, but not with its limit.
        let full = !matches!(ending, Ending::Deadline) && group::was_full(&self.folder);
        let mut ending = if full { Ending::TooManyProcesses } else { ending };
        if ending == Ending::Deadline {
            let stuck = stuck::explain(self.root);
            // Who has ended by now was slow, or the machine stood still: it was not stuck.
            ending = self.ended()?.unwrap_or(ending);
            self.report.stuck = if ending == Ending::Deadline { stuck } else { Vec::new() };
        }
        self.report.set_ending(ending);
        match ending {
            Ending::Exited(_) | Ending::Signaled(_) => self.wait_for_the_rest()?,
            // The quickest way first: they go on meanwhile.
            Ending::TooManyProcesses => group::end(&self.folder),
            _ => {}
        }
        self.look();
        if self.root != own_pid() {
            // The kernel ends everything in the namespace with its first process, and lets nobody
            // there fork meanwhile.
            let _ = kill(Pid::from_raw(self.root), Signal::SIGKILL);
        }
        for stat in sweep::end_below(own_pid()) {
            let Stat { pid, name, state, .. } = stat;
            let line = format!("process {pid} ({name}), state {state}, could not be ended");
            self.report.trouble.push(line);
        }
        group::end(&self.folder);
        // What is in the pipes by now is all that there will be.
        self.pump(Duration::ZERO)?;
        self.collect()
    }

    /// Waits at most that long until something happens, then takes what the program wrote and does
    /// what the test orders; false when the test has gone.
    fn pump(&mut self, wait: Duration) -> io::Result<bool> {
        let test = io::stdin();
        let mut fds = vec![
            PollFd::new(test.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        let open = self.outputs.iter().filter_map(|output| output.pipe.as_ref());
        fds.extend(open.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        if let (Some(pipe), false) = (&self.stdin.pipe, self.stdin.pending.is_empty()) {
            fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLOUT));
        }
        // Rounded up: a poll that returns too early would be repeated for nothing.
        let wait = u16::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        match poll(&mut fds, PollTimeout::from(wait)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ordered = fds[0].any() == Some(true);
        while let Ok(Some(_)) = self.signals.read_signal() {}
        let cap = usize::try_from(self.spec.output_cap).unwrap_or(usize::MAX);
        for (index, output) in self.outputs.iter_mut().enumerate() {
            let new = output.take(cap)?;
            // A test that acts meanwhile waits for lines on stdout.
            if index == 0 && self.spec.stdin.is_none() && new < output.kept.len() {
                tell(&Event::Stdout(output.kept[new..].to_vec()))?;
            }
        }
        let still_there = !ordered || self.obey();
        self.stdin.give();
        Ok(still_there)
    }

    /// Does one thing that the test orders; false when the test has gone.
    fn obey(&mut self) -> bool {
        match wire::receive(&mut Orders) {
            // Not reaped before `ended`, so the number is still the program's.
            Ok(Some(Order::Signal(signal))) => {
                let _ = Signal::try_from(signal).map(|signal| kill(self.main, signal));
            }
            Ok(Some(Order::SignalGroup(signal))) => {
                let _ = Signal::try_from(signal).map(|signal| killpg(self.main, signal));
            }
            Ok(Some(Order::Stdin(bytes))) => self.stdin.pending.extend(bytes),
            Ok(Some(Order::CloseStdin)) => self.stdin.closing = true,
            Ok(Some(Order::Explain)) => {
                return tell(&Event::Explained(stuck::explain(self.root))).is_ok();
            }
            Ok(None) | Err(_) => return false,
        }
        true
    }

    /// The program's processes: in a namespace its first process is none of them.
    fn stats(&self) -> Vec<Stat> {
        proc::tree(self.root)
    }

    /// Notes every process that there is; returns how many threads live.
    fn look(&mut self) -> u64 {
        let stats = self.stats();
        self.objects.look(&stats);
        self.census.note(&stats, self.main.as_raw(), self.start.elapsed())
    }

    /// Reaps the program if it has ended, and orphans that have.
    fn ended(&mut self) -> io::Result<Option<Ending>> {
        if self.root != own_pid() {
            if let Some(ending) = self.noted_ending() {
                return Ok(Some(ending));
            }
            // The namespace's first process ends last.
            return match waitpid(Pid::from_raw(self.root), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => Ok(None),
                _ => Ok(Some(self.noted_ending().unwrap_or(Ending::Unknown))),
            };
        }
        // Not for ever: orphans may end as quickly as they are reaped.
        for _ in 0..1000 {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == self.main => {
                    return Ok(Some(Ending::Exited(code)));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.main => {
                    return Ok(Some(Ending::Signaled(signal as i32)));
                }
                Ok(WaitStatus::StillAlive) => return Ok(None),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// How the program ended, as its namespace's first process noted it.
    fn noted_ending(&self) -> Option<Ending> {
        let noted = fs::read_to_string(self.folder.join(folder::STATUS)).ok()?;
        let (kind, number) = noted.split_once(' ')?;
        let number = number.parse().ok()?;
        Some(if kind == "exited" { Ending::Exited(number) } else { Ending::Signaled(number) })
    }

    /// After the program's own end: who is still there, and whom has nobody waited for?
    fn wait_for_the_rest(&mut self) -> io::Result<()> {
        if self.census.has_zombies() {
            for stat in proc::descendants(self.root) {
                if stat.is_zombie() && self.census.was_zombie(&stat) {
                    let line = format!("process {} ({})", stat.pid, stat.name);
                    self.report.left_over.zombies.push(line);
                }
            }
        }
        let begin = Instant::now();
        let most = self.spec.deadline.saturating_sub(self.start.elapsed()) + GRACE;
        let (mut before, mut last_sign, mut wait) = (Vec::new(), begin, Duration::ZERO);
        loop {
            let test_is_there = self.pump(wait)?;
            if sweep::reap() || !test_is_there {
                return Ok(());
            }
            wait = Duration::from_millis(2);
            let living = self.stats().into_iter().filter(|stat| !stat.is_zombie());
            let living: Vec<Stat> = living.collect();
            // Who wants the processor, on a machine that is busy with other things, may be about to
            // end. Time counts from when there was the last sign of that.
            let now: Vec<_> = living.iter().map(|stat| (stat.key(), stat.ticks)).collect();
            if now != before || living.iter().any(|stat| stat.state == 'R') {
                last_sign = Instant::now();
            }
            before = now;
            if last_sign.elapsed() >= GRACE || begin.elapsed() >= most.min(MOST_GRACE) {
                break;
            }
        }
        for stat in proc::descendants(self.root).iter().filter(|stat| !stat.is_zombie()) {
            let line = format!("process {} ({}), state {}", stat.pid, stat.name, stat.state);
            self.report.left_over.orphans.push(line);
        }
        Ok(())
    }

    fn collect(mut self) -> io::Result<Report> {
        let report = &mut self.report;
        let (left, trouble) = self.objects.remove(&self.census);
        report.left_over.ipc = left;
        report.trouble.extend(trouble);
        (report.processes, report.threads) = self.census.into_parts();
        report.truncated = self.outputs.iter().any(|output| output.truncated);
        [report.stdout, report.stderr] = self.outputs.map(|output| output.kept);
        if let Ok(why) = fs::read_to_string(self.folder.join(folder::TROUBLE)) {
            report.trouble.push(why);
            report.set_ending(Ending::NotStarted);
        }
        let means = fs::read_to_string(self.folder.join(folder::MEANS)).unwrap_or_default();
        report.means.extend(means.lines().map(str::to_owned));
        let mut checks = File::open(self.folder.join(folder::CHECKS))?;
        loop {
            match wire::receive::<Checked>(&mut checks) {
                Ok(Some(checked)) => case::sort(checked, report),
                Ok(None) => break,
                Err(_) => {
                    report.trouble.push("a check's report is cut short".to_owned());
                    break;
                }
            }
        }
        let tmp = fs::read_dir(self.folder.join(folder::TMP));
        for entry in tmp.into_iter().flatten().flatten() {
            report.left_over.files.push(entry.file_name().to_string_lossy().into_owned());
        }
        Ok(self.report)
    }
}

/// The number that the isolated program has out here.
fn settled(folder: &Path, until: Instant) -> io::Result<i32> {
    loop {
        if let Ok(pid) = fs::read_to_string(folder.join(folder::PID)) {
            return pid.parse().map_err(io::Error::other);
        }
        if let Ok(why) = fs::read_to_string(folder.join(folder::TROUBLE)) {
            return Err(io::Error::other(why));
        }
        if Instant::now() >= until {
            return Err(io::Error::other("the isolated program did not start"));
        }
        let _ = poll(&mut [], PollTimeout::from(1u8));
    }
}
