//! A process as an object: start, join, result.

fn main() {}
