// Wrong: the child ends with exit, which runs the parent's exit handlers.
// Refused by: exit_handlers_run_once
// Told: the child ran the parent's exit handlers
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::io::Write;

pub fn print_from_both(parent_part: &str, child_part: &str) -> nix::Result<()> {
    print!("{parent_part}");
    std::io::stdout().flush().unwrap();
    match unsafe { fork()? } {
        ForkResult::Child => {
            print!("{child_part}");
            std::process::exit(0)
        }
        ForkResult::Parent { child } => waitpid(child, None).map(|_| ()),
    }
}
