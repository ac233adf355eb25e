//! What a ring's memory looks like.

use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::bell::Bell;
use crate::memory::Header;
use crate::robust::Robust;
use crate::tasks::Tasks;

/// Each side's words have cache lines of their own: on shared ones, each side's stores would slow
/// down the other's loads.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Side {
    /// Held by whoever changes `place` and `other`.
    pub lock: Robust,
    /// Where the next message goes, or comes from. Counted messages in the high half, counted bytes
    /// in the low one, both modulo 2^32: so that one store is the whole commit.
    pub place: AtomicU64,
    /// The other side's place as it was seen last: looked at anew only when it is not enough.
    pub other: AtomicU64,
    /// What this side sleeps on.
    pub bell: Line,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Line(pub Bell);

#[derive(Debug)]
#[repr(C)]
pub(crate) struct Shape {
    pub kind: AtomicU64,
    pub room: AtomicU32,
    pub capacity: AtomicU32,
    pub closed: AtomicU32,
    pub crashes: AtomicU32,
    pub putters: Side,
    pub getters: Side,
    pub tasks: Tasks,
}

// SAFETY: atomics, bells (which are atomics), and locks that are given to their functions only.
unsafe impl Header for Shape {
    const KIND: u64 = u64::from_be_bytes(*b"ipcring1");
}

/// Where the messages begin.
pub(crate) const MESSAGES: usize = size_of::<Shape>().next_multiple_of(4096);
pub(crate) const fn messages(place: u64) -> u32 {
    (place >> 32) as u32
}

pub(crate) const fn bytes(place: u64) -> u32 {
    place as u32
}

/// The place one message further.
pub(crate) const fn beyond(place: u64, length: u32) -> u64 {
    let messages = messages(place).wrapping_add(1);
    (messages as u64) << 32 | bytes(place).wrapping_add(length) as u64
}
