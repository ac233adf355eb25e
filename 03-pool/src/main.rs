//! Many tasks on a few processes.

fn main() {}
