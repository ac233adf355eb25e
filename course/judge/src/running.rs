use std::io::{BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::message::{Event, Order};
use crate::report::Report;
use crate::spec::Spec;
use crate::{proc, role, wire};

/// A program that runs under a supervisor, for a test that acts while it runs.
///
/// Dropping it ends the program and everything that it started.
#[derive(Debug)]
pub struct Running {
    supervisor: Child,
    orders: Option<ChildStdin>,
    events: Receiver<Event>,
    reader: Option<JoinHandle<()>>,
    pid: i32,
    /// What the program wrote to stdout and the test has not read yet.
    unread: Vec<u8>,
    deadline: Instant,
    report: Option<Report>,
}

impl Running {
    pub(crate) fn start(mut spec: Spec) -> Running {
        if let Some(factor) = std::env::var("JUDGE_PATIENCE").ok().and_then(|it| it.parse().ok()) {
            spec.deadline = spec.deadline.mul_f64(factor);
        }
        let deadline = Instant::now() + spec.deadline + Duration::from_secs(5);
        let mut supervisor = Command::new("/proc/self/exe")
            .arg0("judge-supervisor")
            .env(role::VARIABLE, role::SUPERVISOR)
            // Ctrl-C is for the test; the supervisor ends when the test does.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test binary can be executed again, as the supervisor");
        let mut orders = supervisor.stdin.take().expect("piped");
        let mut from = BufReader::new(supervisor.stdout.take().expect("piped"));
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
            supervisor,
            orders: Some(orders),
            events,
            reader: Some(reader),
            pid: 0,
            unread: Vec::new(),
            deadline,
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
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.events.recv_timeout(left) {
            Ok(Event::Started(pid)) => self.pid = pid,
            Ok(Event::Stdout(bytes)) => self.unread.extend(bytes),
            Ok(Event::Done(report)) => self.report = Some(*report),
            Err(end) => {
                if self.report.is_none() {
                    let why = match end {
                        RecvTimeoutError::Timeout => "the supervisor did not answer in time",
                        RecvTimeoutError::Disconnected => "the supervisor ended without a report",
                    };
                    let mut report = Report { trouble: vec![why.to_owned()], ..Report::default() };
                    report.set_ending(crate::Ending::NotStarted);
                    self.report = Some(report);
                }
                return false;
            }
        }
        true
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
        let supervisor = self.supervisor.id().cast_signed();
        let living = proc::descendants(supervisor).into_iter().filter(|stat| !stat.is_zombie());
        living.map(|stat| stat.pid).collect()
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
        let _ = self.supervisor.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
