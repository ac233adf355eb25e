//! What the kernel says of a thread: the system call that it is in, and the memory that it points to.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// What /proc/PID/task/TID/syscall says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// It is in none: it runs.
    Running,
    /// It is in this one, with these arguments. The number means something else on each
    /// architecture: compare with `libc::SYS_*`.
    In(i64, [u64; 6]),
    /// It sleeps in the kernel outside of any: a page fault, a stop.
    InNone,
    /// Nobody may know: no right to trace it, or a kernel without it.
    Unknown,
}

pub(super) fn of(pid: i32, thread: i32) -> Call {
    let line = fs::read_to_string(format!("/proc/{pid}/task/{thread}/syscall"));
    line.map_or(Call::Unknown, |line| parse(line.trim()).unwrap_or(Call::Unknown))
}

fn parse(line: &str) -> Option<Call> {
    if line == "running" {
        return Some(Call::Running);
    }
    let mut fields = line.split_whitespace();
    let number: i64 = fields.next()?.parse().ok()?;
    if number < 0 {
        return Some(Call::InNone);
    }
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some(Call::In(number, arguments))
}

/// The function of the kernel in which it waits, if the kernel tells.
pub(super) fn place(pid: i32, thread: i32) -> Option<String> {
    let place = fs::read_to_string(format!("/proc/{pid}/task/{thread}/wchan")).ok()?;
    (!place.is_empty() && place != "0").then_some(place)
}

/// The memory of a process. None of what is read can be relied on to be what its name says.
pub(super) struct Memory(Option<File>);

impl Memory {
    pub(super) fn of(pid: i32) -> Memory {
        Memory(File::open(format!("/proc/{pid}/mem")).ok())
    }

    pub(super) fn bytes<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.0.as_ref()?.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    }

    pub(super) fn u16(&self, address: u64) -> Option<u16> {
        self.bytes(address).map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&self, address: u64) -> Option<u32> {
        self.bytes(address).map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&self, address: u64) -> Option<u64> {
        self.bytes(address).map(u64::from_ne_bytes)
    }

    /// A struct timespec, in seconds; `None` for a null pointer too.
    pub(super) fn seconds(&self, address: u64) -> Option<f64> {
        if address == 0 {
            return None;
        }
        let (seconds, nanoseconds) = (self.u64(address)?, self.u64(address + 8)?);
        Some(seconds.cast_signed() as f64 + nanoseconds as f64 / 1e9)
    }

    /// A path.
    pub(super) fn text(&self, address: u64) -> Option<String> {
        let mut text = Vec::new();
        while text.len() < 4096 {
            match self.bytes::<1>(address + text.len() as u64)? {
                [0] => return Some(String::from_utf8_lossy(&text).into_owned()),
                [byte] => text.push(byte),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read_and_nonsense_is_not_believed() {
        assert_eq!(parse("running"), Some(Call::Running));
        assert_eq!(parse("-1 0x7ffd 0x7f1a"), Some(Call::InNone));
        let read = "0 0x3 0x7ffc 0x1000 0x0 0x0 0x0 0x7ffd 0x7f1a";
        assert_eq!(parse(read), Some(Call::In(0, [3, 0x7ffc, 0x1000, 0, 0, 0])));
        for nonsense in ["", "0", "0 3 4 5", "x 0x1", "0 0x3 0x4"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
