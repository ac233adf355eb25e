//! The same binary in other roles: started again, it is the supervisor or becomes the program.

use crate::{case, supervisor};

pub(crate) const VARIABLE: &str = "JUDGE_ROLE";
pub(crate) const SUPERVISOR: &str = "supervisor";
pub(crate) const CASE: &str = "case";

/// Takes over before `main`, if this process was started for another role. So a test binary needs
/// no helper program that would have to be built and found.
extern "C" fn before_main() {
    let Ok(role) = std::env::var(VARIABLE) else { return };
    let code = std::panic::catch_unwind(|| match role.as_str() {
        SUPERVISOR => supervisor::main(),
        CASE => case::main(),
        _ => 2,
    });
    case::end(code.unwrap_or(101));
}

#[used]
#[allow(unsafe_code, reason = "the linker's list of what runs before main has no safe name")]
#[unsafe(link_section = ".init_array.65534")]
static BEFORE_MAIN: extern "C" fn() = before_main;
