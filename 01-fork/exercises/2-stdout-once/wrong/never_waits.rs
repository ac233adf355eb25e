// Wrong: nobody waits for the child.
// Refused by: no_zombie_is_left
// Told: left as a zombie
use nix::unistd::{ForkResult, fork};
use std::io::Write;

pub fn print_from_both(parent_part: &str, child_part: &str) -> nix::Result<()> {
    print!("{parent_part}");
    std::io::stdout().flush().unwrap();
    match unsafe { fork()? } {
        ForkResult::Child => {
            print!("{child_part}");
            let _ = std::io::stdout().flush();
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { .. } => {
            // Long enough for the child's text to come, in the order that is asked for.
            std::thread::sleep(std::time::Duration::from_millis(50));
            Ok(())
        }
    }
}
