//! Other people's programs.

fn main() {}
