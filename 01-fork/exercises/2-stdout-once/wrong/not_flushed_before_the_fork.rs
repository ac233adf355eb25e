// Wrong: no flush before the fork.
// Refused by: each_part_is_printed_once
// Told: the parent's text appears twice
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::io::Write;

/// Print `parent_part` (no newline), fork, let the child print `child_part`, wait for the child.
/// Each part appears on stdout exactly once, parent's part first.
/// The child must not run the parent's exit handlers (libc::atexit) and must not return.
pub fn print_from_both(parent_part: &str, child_part: &str) -> nix::Result<()> {
    print!("{parent_part}");
    match unsafe { fork()? } {
        ForkResult::Child => {
            print!("{child_part}");
            let ok = std::io::stdout().flush().is_ok();
            unsafe { libc::_exit(if ok { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => waitpid(child, None).map(|_| ()),
    }
}
