//! The desk: what the lessons are, where you stand, what to type next.

fn main() {}
