//! The demo's subcommands, one idea a file.

pub(crate) mod fork;
pub(crate) mod hello;
pub(crate) mod key;
pub(crate) mod object;
pub(crate) mod order;
pub(crate) mod pool;

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A value that says when it is dropped, and where.
struct Told(&'static str);

impl Drop for Told {
    fn drop(&mut self) {
        let thread = std::thread::current();
        println!("    {} is dropped on the thread {}", self.0, thread.name().unwrap_or("?"));
    }
}
