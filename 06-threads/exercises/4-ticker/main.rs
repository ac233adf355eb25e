//! The answer and its checks as one program: `cargo course check threads/4`.
#![allow(
    unused_imports,
    unused_variables,
    unused_mut,
    dead_code,
    unreachable_pub,
    clippy::todo,
    clippy::undocumented_unsafe_blocks,
    reason = "a stub uses nothing yet, and an answer explains itself to its writer"
)]

mod answer;
mod check;

fn main() -> std::process::ExitCode {
    judge::exercise::main(check::CASES)
}
