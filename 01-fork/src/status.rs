use std::fmt;

use nix::sys::signal::Signal;

/// How a child ended: unlike an exit code alone, it tells a code from a signal.
///
/// Source: [waitid(2)](https://man7.org/linux/man-pages/man2/waitid.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It ended by itself with this code, 0 to 255: the kernel keeps the low 8 bits only.
    Exited(i32),
    /// A signal ended it.
    Signaled {
        /// The signal's number, as in signal(7).
        signal: i32,
        /// Whether the kernel wrote a core dump.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// Whether it ended by itself with code 0.
    pub fn success(self) -> bool {
        self == ExitStatus::Exited(0)
    }

    /// The exit code, if it ended by itself.
    pub fn code(self) -> Option<i32> {
        match self {
            ExitStatus::Exited(code) => Some(code),
            ExitStatus::Signaled { .. } => None,
        }
    }

    /// The number of the signal that ended it, if one did.
    pub fn signal(self) -> Option<i32> {
        match self {
            ExitStatus::Exited(_) => None,
            ExitStatus::Signaled { signal, .. } => Some(signal),
        }
    }

    /// Python's notation: the code, or the signal's number made negative (`-9` for `SIGKILL`).
    pub fn exitcode(self) -> i32 {
        match self {
            ExitStatus::Exited(code) => code,
            ExitStatus::Signaled { signal, .. } => -signal,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ExitStatus::Exited(code) => write!(f, "exit code {code}"),
            ExitStatus::Signaled { signal, core_dumped } => {
                write!(f, "killed by signal {signal}")?;
                if let Ok(name) = Signal::try_from(signal) {
                    write!(f, " ({name})")?;
                } else if (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&signal) {
                    write!(f, " (SIGRTMIN+{})", signal - libc::SIGRTMIN())?;
                }
                if core_dumped { write!(f, ", core dumped") } else { Ok(()) }
            }
        }
    }
}
