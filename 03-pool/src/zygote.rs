use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, recv, send, shutdown, socketpair,
};
use process::{ExitStatus, PrivateFd, Process, handed_over, receive_fds, send_fds};

use crate::Error;
use crate::worker::{Initializer, work};

/// The process that forks the workers, the first ones and those that replace them.
///
/// The pool itself has threads by then, and grows; a fork of it would copy locks that nobody opens
/// again, and more page tables each time. This one has one thread, stays small, and does nothing
/// else: it waits for orders on a socket, and for its children's ends.
#[derive(Debug)]
pub(crate) struct Zygote {
    process: Process<()>,
    /// Shared with the thread that polls it.
    pub socket: Arc<PrivateFd>,
    inbox: Vec<u8>,
}

/// What a zygote tells of the worker that was ordered with this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Started {
        worker: u64,
        pid: i32,
    },
    /// The error's number.
    NotStarted {
        worker: u64,
        errno: i32,
    },
    Ended {
        worker: u64,
        status: ExitStatus,
    },
}

impl Zygote {
    pub(crate) fn start(initializer: &Initializer) -> Result<Zygote, Error> {
        let [ours, theirs] = PrivateFd::open(|| {
            let flags = SockFlag::SOCK_CLOEXEC;
            let pair = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)?;
            Ok([pair.0, pair.1])
        })?;
        let mut process = Process::new(serve, (initializer.clone(),))
            .name("PoolZygote")
            .daemon(true)
            .hand_over(vec![theirs]);
        // Ctrl-C reaches the whole terminal group. The pool's owner decides what it means; zygote
        // and workers, which inherit this, end with the owner and not before.
        let interrupt = SigSet::from(Signal::SIGINT);
        let before = interrupt.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(io::Error::from)?;
        let started = process.start();
        before.thread_set_mask().map_err(io::Error::from)?;
        started?;
        Ok(Zygote { process, socket: Arc::new(ours), inbox: Vec::new() })
    }

    /// Orders a worker, which gets these descriptors. Whether it began comes as [`News`].
    pub(crate) fn order(&self, worker: u64, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let socket = self.fd()?;
        send_fds(socket, fds)?;
        send_all(socket, &worker.to_le_bytes())
    }

    pub(crate) fn pid(&self) -> Option<i32> {
        self.process.pid()
    }

    pub(crate) fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        self.socket.fd()
    }

    /// All that it has told, without waiting; an error when it is gone.
    pub(crate) fn news(&mut self) -> io::Result<Vec<News>> {
        self.receive(MsgFlags::MSG_DONTWAIT)
    }

    /// Waits until it tells something.
    pub(crate) fn wait_for_news(&mut self) -> io::Result<Vec<News>> {
        self.receive(MsgFlags::empty())
    }

    fn receive(&mut self, flags: MsgFlags) -> io::Result<Vec<News>> {
        let mut bytes = [0; 1024];
        match recv(self.fd()?.as_raw_fd(), &mut bytes, flags) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.inbox.extend(&bytes[..count]),
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        let (whole, rest) = self.inbox.as_chunks::<{ News::BYTES }>();
        let news = whole.iter().filter_map(|bytes| News::from_bytes(*bytes)).collect();
        self.inbox = rest.to_vec();
        Ok(news)
    }

    /// Ends it and reaps it; it ends and reaps its workers first.
    pub(crate) fn end(mut self, patience: Duration) {
        // Not left to the drop: another thread may still poll it.
        if let Ok(fd) = self.fd() {
            let _ = shutdown(fd.as_raw_fd(), Shutdown::Both);
        }
        // One that is stopped, or run wild, is killed; its workers then end by their tethers.
        if !matches!(self.process.join_timeout(patience), Ok(Some(())) | Err(_)) {
            let _ = self.process.kill();
            let _ = self.process.join();
        }
    }
}

impl News {
    const BYTES: usize = 16;

    fn to_bytes(self) -> [u8; 16] {
        let (worker, kind, value) = match self {
            News::Started { worker, pid } => (worker, 0, pid),
            News::NotStarted { worker, errno } => (worker, 1, errno),
            News::Ended { worker, status: ExitStatus::Exited(code) } => (worker, 2, code),
            News::Ended { worker, status: ExitStatus::Signaled { signal, core_dumped } } => {
                (worker, 3 + u8::from(core_dumped), signal)
            }
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&worker.to_le_bytes());
        bytes[8] = kind;
        bytes[12..].copy_from_slice(&value.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; 16]) -> Option<News> {
        let worker = u64::from_le_bytes(*bytes.first_chunk()?);
        let value = i32::from_le_bytes(*bytes.last_chunk()?);
        Some(match bytes[8] {
            0 => News::Started { worker, pid: value },
            1 => News::NotStarted { worker, errno: value },
            2 => News::Ended { worker, status: ExitStatus::Exited(value) },
            kind => {
                let status = ExitStatus::Signaled { signal: value, core_dumped: kind == 4 };
                News::Ended { worker, status }
            }
        })
    }
}

/// How long a worker that was told to end may take before it is killed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The function of the zygote's process. Returns when the pool has closed its end of the socket.
fn serve(initializer: Initializer) {
    let Some(socket) = handed_over().pop() else { return };
    let Ok([socket]) = PrivateFd::open(|| Ok([socket])) else { return };
    let Ok(socket) = socket.fd() else { return };
    let mut workers: Vec<(u64, Process<()>)> = Vec::new();
    while let Some(order) = wait(socket, &workers) {
        if order && !take_order(socket, &mut workers, &initializer) {
            break;
        }
        workers.retain(|(worker, process)| match process.status() {
            Ok(Some(status)) => {
                tell(socket, News::Ended { worker: *worker, status });
                false
            }
            _ => true,
        });
    }
    for (_, mut process) in workers {
        if !matches!(process.join_timeout(LAST_WORDS), Ok(Some(())) | Err(_)) {
            let _ = process.kill();
            let _ = process.join();
        }
    }
}

/// Waits for an order (true) or a worker's end.
fn wait(socket: BorrowedFd<'_>, workers: &[(u64, Process<()>)]) -> Option<bool> {
    let mut fds = vec![PollFd::new(socket, PollFlags::POLLIN)];
    for (_, process) in workers {
        fds.push(PollFd::new(process.sentinel().ok()?, PollFlags::POLLIN));
    }
    match poll(&mut fds, PollTimeout::NONE) {
        Ok(_) => Some(fds[0].any().unwrap_or(true)),
        Err(Errno::EINTR) => Some(false),
        Err(_) => None,
    }
}

/// False when the pool is gone.
fn take_order(
    socket: BorrowedFd<'_>,
    workers: &mut Vec<(u64, Process<()>)>,
    initializer: &Initializer,
) -> bool {
    let mut number = [0; 8];
    let received = receive_fds(socket);
    let refused = match &received {
        Err(error) if error.raw_os_error() == Some(FULL) => true,
        Err(_) => return false,
        Ok(_) => false,
    };
    if receive_all(socket, &mut number).is_err() {
        return false;
    }
    let worker = u64::from_le_bytes(number);
    if refused {
        tell(socket, News::NotStarted { worker, errno: FULL });
        return true;
    }
    let fds: Vec<OwnedFd> = received.unwrap_or_default();
    match fork(worker, fds, initializer) {
        Ok(process) => {
            tell(socket, News::Started { worker, pid: process.pid().unwrap_or(0) });
            workers.push((worker, process));
        }
        Err(error) => tell(socket, News::NotStarted { worker, errno: errno_of(&error) }),
    }
    true
}

/// The kernel had the descriptors on their way, and no room here.
const FULL: i32 = Errno::EMFILE as i32;

fn fork(
    worker: u64,
    fds: Vec<OwnedFd>,
    initializer: &Initializer,
) -> Result<Process<()>, process::Error> {
    let mut private = Vec::new();
    for fd in fds {
        private.extend(PrivateFd::open(|| Ok([fd]))?);
    }
    let mut process = Process::new(work, (initializer.clone(),))
        .name(format!("PoolWorker-{worker}"))
        .daemon(true)
        .hand_over(private);
    process.start()?;
    // The pool watches this one's end; so does the next poll here.
    process.sentinel()?;
    Ok(process)
}

fn errno_of(error: &process::Error) -> i32 {
    match error {
        process::Error::Fork(error) => error.raw_os_error(),
        process::Error::Io(error) => error.raw_os_error(),
        _ => None,
    }
    .unwrap_or(Errno::EAGAIN as i32)
}

fn tell(socket: BorrowedFd<'_>, news: News) {
    // A pool that is gone needs no news: the next poll sees that.
    let _ = send_all(socket, &news.to_bytes());
}

/// As `write_all`, and a closed other end is an error and no signal.
fn send_all(socket: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match send(socket.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn receive_all(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match recv(socket.as_raw_fd(), &mut bytes[done..], MsgFlags::empty()) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
