//! What is to be run, as the supervisor gets it.

use std::time::Duration;

use crate::wire::{Wire, wire};

/// How many threads a program may have if its test says nothing: far fewer than any machine bears,
/// so that a program that forks without end takes nobody else's.
const MOST: u64 = 4096;

/// A bound on what the judged program may take, set before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Seconds of processor time, for each process (`RLIMIT_CPU`).
    CpuSeconds(u64),
    /// Bytes of address space, for each process (`RLIMIT_AS`).
    AddressSpace(u64),
    /// Open descriptors, for each process (`RLIMIT_NOFILE`).
    OpenFiles(u64),
    /// Bytes of the largest file that may be written (`RLIMIT_FSIZE`).
    FileSize(u64),
    /// Processes and threads at a time, all together; 4,096 without this. A program that wants more
    /// is ended. The kernel counts where the judge may make a control group, and in a user namespace
    /// ([`Judge::isolate`](crate::Judge::isolate), not by root); else the supervisor counts, every 10
    /// milliseconds. `RLIMIT_NPROC` alone would not do: it counts all that its user has, and does not
    /// bind root.
    Processes(u64),
}

impl Limit {
    /// What holds the program, in words.
    pub(crate) fn means(&self) -> String {
        match self {
            Limit::CpuSeconds(most) => format!("limit: {most} s of processor time a process"),
            Limit::AddressSpace(most) => format!("limit: {most} bytes of address space a process"),
            Limit::OpenFiles(most) => format!("limit: {most} descriptors a process"),
            Limit::FileSize(most) => format!("limit: {most} bytes a file"),
            Limit::Processes(most) => {
                format!("limit: {most} processes and threads")
            }
        }
    }
}

impl Wire for Limit {
    fn put(&self, to: &mut Vec<u8>) {
        let (kind, value) = match *self {
            Limit::CpuSeconds(value) => (0u64, value),
            Limit::AddressSpace(value) => (1, value),
            Limit::OpenFiles(value) => (2, value),
            Limit::FileSize(value) => (3, value),
            Limit::Processes(value) => (4, value),
        };
        (kind, value).put(to);
    }
    fn get(from: &mut &[u8]) -> std::io::Result<Limit> {
        let (kind, value) = <(u64, u64)>::get(from)?;
        Ok(match kind {
            0 => Limit::CpuSeconds(value),
            1 => Limit::AddressSpace(value),
            2 => Limit::OpenFiles(value),
            3 => Limit::FileSize(value),
            _ => Limit::Processes(value),
        })
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    /// The program's path, or empty for a scenario.
    pub program: Vec<u8>,
    /// The scenario's name, or empty for a program.
    pub scenario: String,
    pub arguments: Vec<Vec<u8>>,
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    pub environment_cleared: bool,
    pub directory: Option<Vec<u8>>,
    /// `None` leaves stdin open for [`Running::write_stdin`](crate::Running::write_stdin).
    pub stdin: Option<Vec<u8>>,
    pub deadline: Duration,
    pub output_cap: u64,
    pub limits: Vec<Limit>,
    pub declared: Vec<String>,
    pub terminal: bool,
    pub isolated: bool,
    pub confined: bool,
}

impl Spec {
    /// How many processes and threads it may have at a time.
    pub(crate) fn most_processes(&self) -> u64 {
        let said = self.limits.iter().find_map(|limit| match limit {
            Limit::Processes(most) => Some(*most),
            _ => None,
        });
        said.unwrap_or(MOST)
    }
}

wire!(Spec {
    program,
    scenario,
    arguments,
    environment,
    environment_cleared,
    directory,
    stdin,
    deadline,
    output_cap,
    limits,
    declared,
    terminal,
    isolated,
    confined,
});
