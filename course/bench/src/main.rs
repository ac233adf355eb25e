//! The lessons beside their rivals and their limits.

fn main() {}
