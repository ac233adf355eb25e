// What `print_from_both` must do, seen from outside: its stdout is a pipe, and all of it is looked at.

use judge::Report;
use judge::exercise::{Case, require};

use super::answer::print_from_both;

pub(crate) const CASES: &[Case] = &[
    Case::of(&each_part_is_printed_once).comes_back(BACK).look(each_once),
    Case::of(&exit_handlers_run_once).comes_back(BACK).look(handler_once),
    Case::of(&no_zombie_is_left)
        .comes_back(BACK)
        .zombie("the child has ended and is left as a zombie: wait for it before you return"),
];

const BACK: &str = "the child came back out of print_from_both: end it with libc::_exit, or \
                    everything after the call runs twice";

judge::case!(
    fn each_part_is_printed_once() {
        require(print_from_both("parent;", "child;").is_ok(), "print_from_both failed");
    }
);

fn each_once(report: &Report) -> Result<(), String> {
    let printed = report.stdout();
    let sentence = match (printed.matches("parent;").count(), printed.matches("child;").count()) {
        (2.., _) => {
            "the parent's text appears twice: fork copied the unflushed stdout buffer, flush before \
             you fork"
        }
        (_, 0) => {
            "the child's text is lost: _exit does not flush Rust's stdout, flush in the child first"
        }
        (0, _) => "the parent's text was never printed",
        (1, 2..) => "the child's text appears twice: who else prints it?",
        (1, 1) if printed == "parent;child;" => return Ok(()),
        (1, 1) if printed == "child;parent;" => {
            "the child's text comes first: write the parent's before you fork, all of it"
        }
        (1, 1) => "something else is printed, too",
    };
    Err(sentence.to_owned())
}

extern "C" fn says_that_it_ran() {
    print!("handler;");
}

judge::case!(
    fn exit_handlers_run_once() {
        // SAFETY: the function lives as long as the program, and unwinds nowhere.
        unsafe { libc::atexit(says_that_it_ran) };
        require(print_from_both("parent;", "child;").is_ok(), "print_from_both failed");
    }
);

fn handler_once(report: &Report) -> Result<(), String> {
    match report.stdout().matches("handler;").count() {
        0 | 1 => Ok(()),
        _ => {
            Err("the child ran the parent's exit handlers: end it with libc::_exit, not with exit"
                .to_owned())
        }
    }
}

judge::case!(
    fn no_zombie_is_left() {
        for _ in 0..3 {
            require(print_from_both("", "").is_ok(), "print_from_both failed");
        }
    }
);
