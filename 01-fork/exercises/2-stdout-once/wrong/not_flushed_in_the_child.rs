// Wrong: _exit without a flush in the child.
// Refused by: each_part_is_printed_once
// Told: the child's text is lost
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::io::Write;

/// Print `parent_part` (no newline), fork, let the child print `child_part`, wait for the child.
/// Each part appears on stdout exactly once, parent's part first.
/// The child must not run the parent's exit handlers (libc::atexit) and must not return.
pub fn print_from_both(parent_part: &str, child_part: &str) -> nix::Result<()> {
    print!("{parent_part}");
    std::io::stdout().flush().unwrap();
    match unsafe { fork()? } {
        ForkResult::Child => {
            print!("{child_part}");
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => waitpid(child, None).map(|_| ()),
    }
}
