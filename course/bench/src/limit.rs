//! The limits: the leanest programs that do the job, on bare system calls.
//!
//! The only file of this crate with `unsafe` in it, because a limit that went through a library
//! would measure the library.

use std::ffi::{CStr, CString, c_char};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

unsafe extern "C" {
    static environ: *const *mut c_char;
}

/// `fork`, `_exit`, `waitpid`, and nothing else.
pub(crate) fn fork_exit_wait() -> io::Result<()> {
    // SAFETY: the child calls `_exit`, which is async-signal-safe, and nothing else, so it needs
    // no lock or state that another thread of the parent could have held.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: `_exit` only ends the process; it runs no handler and touches no memory.
        0 => unsafe { libc::_exit(0) },
        pid => wait(pid),
    }
}

/// `posix_spawn` of a program, `waitpid`, and nothing else.
pub(crate) struct Spawn {
    argv: Vec<CString>,
}

impl Spawn {
    /// Prepares the program's path and arguments.
    pub(crate) fn new(argv: &[&str]) -> io::Result<Self> {
        Ok(Self { argv: argv.iter().map(|&arg| CString::new(arg)).collect::<Result<_, _>>()? })
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(&self) -> io::Result<()> {
        let mut argv: Vec<*mut c_char> =
            self.argv.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
        argv.push(ptr::null_mut());
        let path: &CStr = &self.argv[0];
        let mut pid = 0;
        // SAFETY: `path` and the elements of `argv` are NUL-terminated and live until the call
        // returns; `argv` and `environ` end in a null pointer; null file actions and attributes
        // mean none; no other thread of this process changes the environment.
        let error = unsafe {
            let (none, plain) = (ptr::null(), ptr::null());
            libc::posix_spawn(&mut pid, path.as_ptr(), none, plain, argv.as_ptr(), environ)
        };
        match error {
            0 => wait(pid),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

fn wait(pid: libc::pid_t) -> io::Result<()> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a live int that the kernel may write to.
        if unsafe { libc::waitpid(pid, &mut status, 0) } != -1 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    match status {
        0 => Ok(()),
        status => Err(io::Error::other(format!("child {pid} ended with wait status {status:#x}"))),
    }
}

/// A forked worker with a pipe to it and a pipe from it.
///
/// It ends when the measuring process does, and is not waited for before.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) to: PipeWriter,
    pub(crate) from: PipeReader,
}

impl Worker {
    /// Forks a worker that runs `work` on its ends of the two pipes.
    pub(crate) fn fork(
        work: impl FnOnce(PipeReader, PipeWriter) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (there_out, to) = io::pipe()?;
        let (from, back_in) = io::pipe()?;
        child(move || work(there_out, back_in))?;
        Ok(Self { to, from })
    }
}

/// Forks a child that runs `work`, and then ends without returning into the parent's code. It ends
/// with its parent, and is not waited for before.
pub(crate) fn child(work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: a child of a process with several threads may only call what is async-signal-safe.
    // Sides that fork are built before those that start threads (see `Measure::sides`), so this
    // process has one thread, and its child may do what any process may.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let done = catch_unwind(AssertUnwindSafe(|| {
                set_pdeathsig(Signal::SIGKILL)?;
                work()
            }));
            let code = if matches!(done, Ok(Ok(()))) { 0 } else { 101 };
            // SAFETY: `_exit` only ends the process; it runs no handler and touches no memory.
            unsafe { libc::_exit(code) }
        }
        _ => Ok(()),
    }
}

/// Answers every message of eight bytes with itself, until the other side has closed.
pub(crate) fn echo(mut from: PipeReader, mut to: PipeWriter) -> io::Result<()> {
    let mut message = [0; 8];
    while from.read(&mut message)? == message.len() {
        to.write_all(&message)?;
    }
    Ok(())
}

/// Memory from `mmap`, filled with zeroes, unlike a `Vec` either shared with children that are
/// forked later, or in huge pages.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    /// Memory that children see, too. Who may touch it when is for their messages to say.
    pub(crate) fn shared(length: usize) -> io::Result<Self> {
        Self::new(length, libc::MAP_SHARED)
    }

    /// Memory that costs one page fault for 2 MiB instead of 512, where the kernel has huge pages.
    pub(crate) fn huge(length: usize) -> io::Result<Self> {
        let mapping = Self::new(length, libc::MAP_PRIVATE)?;
        // SAFETY: the range is the mapping that was just made, and the advice does not change what
        // is in it. Where there are no huge pages it fails, which costs nothing but time.
        unsafe { libc::madvise(mapping.start.as_ptr().cast(), length, libc::MADV_HUGEPAGE) };
        Ok(mapping)
    }

    fn new(length: usize, flags: libc::c_int) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = flags | libc::MAP_ANONYMOUS;
        // SAFETY: without an address and MAP_FIXED, mmap only makes new memory, over no other.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is readable, initialised (with zeroes), `length` long, and lives as
        // long as `self`. A child that shares it writes only between our messages to and from it.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for Mapping {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`, and it is writable, and `&mut self` makes this the only
        // reference in this process.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the mapping of `new`, and no reference outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
