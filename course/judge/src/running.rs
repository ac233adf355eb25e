use std::ffi::OsString;
use std::io::{BufReader, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::message::{Event, Order};
use crate::report::Report;
use crate::spec::Spec;
use crate::{Ending, case, folder, group, proc, role, sweep, wire};

/// How long after the deadline the supervisor may take to answer on a busy machine. It answers within
/// a second on one that is not; then it is ended too.
const PATIENCE: Duration = Duration::from_secs(5);

/// A program that runs under a supervisor, for a test that acts while it runs.
///
/// Dropping it ends the program and everything that it started.
#[derive(Debug)]
pub struct Running {
    guardian: Child,
    orders: Option<ChildStdin>,
    events: Receiver<Event>,
    reader: Option<JoinHandle<()>>,
    pid: i32,
    /// Whose descendants the program's processes are.
    root: i32,
    folder: PathBuf,
    /// What the program wrote to stdout and the test has not read yet.
    unread: Vec<u8>,
    deadline: Instant,
    explained: Option<Vec<String>>,
    report: Option<Report>,
}

impl Running {
    pub(crate) fn start(mut spec: Spec) -> Running {
        spec.deadline = patient(spec.deadline, std::env::var("JUDGE_PATIENCE").ok());
        let deadline = Instant::now() + spec.deadline;
        let mut guardian = Command::new("/proc/self/exe")
            .arg0("judge-guardian")
            .env(role::VARIABLE, role::GUARDIAN)
            // Ctrl-C is for the test; the supervisor ends when the test does.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test binary can be executed again, as the guardian");
        let mut orders = guardian.stdin.take().expect("piped");
        let mut from = BufReader::new(guardian.stdout.take().expect("piped"));
        let _ = wire::send(&mut orders, &spec);
        let (sender, events) = channel();
        let reader = std::thread::spawn(move || {
            while let Ok(Some(event)) = wire::receive::<Event>(&mut from) {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut running = Running {
            guardian,
            orders: Some(orders),
            events,
            reader: Some(reader),
            pid: 0,
            root: 0,
            folder: PathBuf::new(),
            unread: Vec::new(),
            deadline,
            explained: None,
            report: None,
        };
        while running.pid == 0 && running.report.is_none() {
            running.next_event();
        }
        running
    }

    /// The pid of the program's first process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Takes in one event; false when there will be no more.
    fn next_event(&mut self) -> bool {
        let lost = loop {
            let late = Instant::now().saturating_duration_since(self.deadline);
            match self.events.recv_timeout(self.next_nudge()) {
                Ok(Event::Begins(folder)) => self.folder = OsString::from_vec(folder).into(),
                Ok(Event::Started(pid, root)) => (self.pid, self.root) = (pid, root),
                Ok(Event::Stdout(bytes)) => self.unread.extend(bytes),
                Ok(Event::Explained(lines)) => self.explained = Some(lines),
                Ok(Event::Done(report)) => self.report = Some(*report),
                Err(RecvTimeoutError::Timeout) if late < PATIENCE => {
                    self.nudge();
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => break "the supervisor did not answer in time",
                Err(RecvTimeoutError::Disconnected) => break "the supervisor was killed",
            }
            return true;
        };
        if self.report.is_none() {
            self.end_by_force();
            let mut report = Report::not_started(lost.to_owned());
            report.pid = self.pid;
            if self.has_begun() {
                report.set_ending(Ending::Unknown);
            }
            self.report = Some(report);
        }
        false
    }

    /// How long to wait before a look at the supervisor: it should have answered by the deadline.
    fn next_nudge(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.saturating_add(Duration::from_millis(200))
    }

    /// The program may have stopped those who watch it. What is not stopped does not notice.
    fn nudge(&self) {
        let guardian = self.guardian.id().cast_signed();
        let _ = kill(Pid::from_raw(guardian), Signal::SIGCONT);
        for stat in proc::tree(guardian).iter().filter(|stat| stat.parent == guardian) {
            let _ = kill(Pid::from_raw(stat.pid), Signal::SIGCONT);
        }
    }

    /// Whether the program may have run.
    fn has_begun(&self) -> bool {
        !self.folder.as_os_str().is_empty()
    }

    /// Ends all of it from here, guardian included.
    fn end_by_force(&mut self) {
        sweep::end_below(self.guardian.id().cast_signed());
        let _ = self.guardian.kill();
        let _ = self.guardian.wait();
        if self.has_begun() {
            // The guardian may have been killed too: then the program's processes are below nobody
            // that is known, and a control group or a trait is left to tell them by.
            group::end(&self.folder);
            sweep::end_marked(&case::marker(&self.folder));
            let _ = folder::remove(&self.folder);
        }
    }

    /// Waits for the next line on stdout, without its line end; `None` when the program has ended
    /// and there is none.
    pub fn read_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(
                    String::from_utf8_lossy(&line[..end]).trim_end_matches('\r').to_owned(),
                );
            }
            if self.report.is_some() || !self.next_event() {
                let rest = std::mem::take(&mut self.unread);
                let rest = String::from_utf8_lossy(&rest).into_owned();
                return (!rest.is_empty()).then_some(rest);
            }
        }
    }

    /// Waits for a line on stdout that `wanted` accepts, and returns it.
    ///
    /// # Panics
    ///
    /// With the whole report, when the program ends without one.
    #[track_caller]
    pub fn wait_for_line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        while let Some(line) = self.read_line() {
            if wanted(&line) {
                return line;
            }
        }
        match &self.report {
            Some(report) => {
                panic!("the program ended without the line that was waited for\n{report}")
            }
            None => panic!("the line that was waited for did not come"),
        }
    }

    /// Sends a signal, by its number, to the program's first process.
    pub fn signal(&mut self, signal: i32) {
        self.order(&Order::Signal(signal));
    }

    /// Sends a signal to the program's process group, as a terminal's Ctrl-C does.
    pub fn signal_group(&mut self, signal: i32) {
        self.order(&Order::SignalGroup(signal));
    }

    /// Writes to the program's standard input.
    pub fn write_stdin(&mut self, bytes: impl Into<Vec<u8>>) {
        self.order(&Order::Stdin(bytes.into()));
    }

    /// Closes the program's standard input.
    pub fn close_stdin(&mut self) {
        self.order(&Order::CloseStdin);
    }

    fn order(&mut self, order: &Order) {
        if let Some(orders) = &mut self.orders {
            // A supervisor that is done has no use for it.
            let _ = wire::send(orders, order);
            let _ = orders.flush();
        }
    }

    /// The pids of the program's living processes, the first one included.
    pub fn tree(&self) -> Vec<i32> {
        let living = proc::descendants(self.root).into_iter().filter(|stat| !stat.is_zombie());
        living.map(|stat| stat.pid).collect()
    }

    /// Where each process and thread waits now, in plain words: what [`Report::stuck`] says of the
    /// deadline. It looks for a tenth of a second. Empty when the program has ended.
    pub fn explain(&mut self) -> String {
        self.explained = None;
        self.order(&Order::Explain);
        while self.report.is_none() && self.explained.is_none() && self.next_event() {}
        self.explained.take().unwrap_or_default().join("\n")
    }

    /// Closes standard input, and waits for the program's end or the deadline.
    pub fn finish(mut self) -> Report {
        self.close_stdin();
        while self.report.is_none() {
            self.next_event();
        }
        self.report.take().unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its orders tells the supervisor to end everything, and itself.
        self.orders.take();
        let begin = Instant::now();
        while matches!(self.guardian.try_wait(), Ok(None)) {
            match self.events.recv_timeout(Duration::from_millis(200)) {
                // The pipe of events is closed by its end.
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = poll(&mut [], PollTimeout::from(1u8));
                }
                _ => self.nudge(),
            }
            if begin.elapsed() > PATIENCE {
                self.end_by_force();
                break;
            }
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A deadline on a slow machine. What is no factor changes nothing.
fn patient(deadline: Duration, factor: Option<String>) -> Duration {
    let factor: f64 = factor.and_then(|it| it.parse().ok()).unwrap_or(1.0);
    let seconds = deadline.as_secs_f64() * factor;
    match Duration::try_from_secs_f64(seconds) {
        Ok(patient) if factor > 0.0 => patient,
        _ => deadline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_factor_leaves_the_deadline_as_it_is() {
        let second = Duration::from_secs(1);
        assert_eq!(patient(second, Some("2.5".to_owned())), Duration::from_millis(2500));
        for nonsense in ["", "two", "0", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(patient(second, Some(nonsense.to_owned())), second, "{nonsense}");
        }
        assert_eq!(patient(second, None), second);
    }
}
