//! The same binary in other roles: started again, it is the guardian, the supervisor, the first
//! process of a namespace, or becomes the program.

use crate::{case, guardian, init, supervisor};

pub(crate) const VARIABLE: &str = "JUDGE_ROLE";
/// Where the run's folder is: the guardian makes it.
pub(crate) const FOLDER: &str = "JUDGE_FOLDER";

pub(crate) const GUARDIAN: &str = "guardian";
pub(crate) const SUPERVISOR: &str = "supervisor";
pub(crate) const INIT: &str = "init";
pub(crate) const CASE: &str = "case";

/// Takes over before `main`, if this process was started for another role. So a test binary needs
/// no helper program that would have to be built and found.
extern "C" fn before_main() {
    let Ok(role) = std::env::var(VARIABLE) else { return };
    let code = std::panic::catch_unwind(|| match role.as_str() {
        GUARDIAN => guardian::main(),
        SUPERVISOR => supervisor::main(),
        INIT => init::main(),
        CASE => case::main(),
        _ => 2,
    });
    case::end(code.unwrap_or(101));
}

#[used]
#[allow(unsafe_code, reason = "the linker's list of what runs before main has no safe name")]
#[unsafe(link_section = ".init_array.65534")]
static BEFORE_MAIN: extern "C" fn() = before_main;
