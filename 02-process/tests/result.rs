//! What comes back: a value, a panic, or the way in which it ended.

mod common;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;

use common::*;
use judge::{Judge, scenario};
use nix::poll::PollTimeout;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use process::{Error, Process, active_children};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle { radius: f64 },
    Named(String, Box<Shape>),
}

fn shapes(count: u8, radius: Option<f64>) -> BTreeMap<u8, Shape> {
    let shape = |number| match radius {
        None => Shape::Point,
        Some(radius) => Shape::Named(format!("{number}"), Box::new(Shape::Circle { radius })),
    };
    (0..count).map(|number| (number, shape(number))).collect()
}

scenario!(
    fn returns_values() {
        process::init();
        for method in METHODS {
            let value = started(Process::new(shapes, (3, Some(0.5))).method(method)).join();
            let same = value.is_ok_and(|value| value == shapes(3, Some(0.5)));
            check_for(method, "typed", same, "as it was returned");
            let sum = |a: u8, b: u16, c: u32, d: u32, e: i8, f: i16| {
                i64::from(a)
                    + i64::from(b)
                    + i64::from(c)
                    + i64::from(d)
                    + i64::from(e)
                    + i64::from(f)
            };
            let six = started(Process::new(sum, (1, 2, 3, 4, 5, 6)).method(method)).join();
            check_for(method, "six", six.is_ok_and(|sum| sum == 21), "of up to six arguments");
        }
    }
);

#[test]
fn a_value_that_the_childs_function_returns_arrives_from_join_typed() {
    Judge::scenario(&returns_values).declare(both(&["typed", "six"])).run().assert_clean();
}

fn leave(how: u8) -> u8 {
    match how {
        #[expect(clippy::disallowed_methods, reason = "what happens then is the subject")]
        0 => std::process::exit(3),
        1 => std::process::abort(),
        _ => {
            forever();
            0
        }
    }
}

scenario!(
    fn ends_without_a_value() {
        process::init();
        for method in METHODS {
            for (how, name, expected) in [(0, "exit", 3), (1, "abort", -6), (2, "kill", -9)] {
                let mut child = started(Process::new(leave, (how,)).name("anna").method(method));
                if name == "kill" {
                    child.kill().expect("it is ours");
                }
                let pid = child.pid().expect("it was started");
                let (told, text) = match child.join() {
                    Err(error @ Error::Ended { status, .. }) => {
                        (status.exitcode() == expected, error.to_string())
                    }
                    other => (false, format!("{other:?}")),
                };
                let begin = format!("process anna ({pid}) ended without a result: ");
                check_for(method, name, told && text.starts_with(&begin), &text);
            }
        }
    }
);

#[test]
fn a_child_that_dies_before_it_sends_a_value_gives_its_signal_or_code() {
    let report = Judge::scenario(&ends_without_a_value);
    report.declare(both(&["exit", "abort", "kill"])).run().assert_clean();
}

const LARGE: u32 = 1 << 20;

fn large() -> Vec<u32> {
    (0..LARGE / 4).collect()
}

scenario!(
    fn returns_much() {
        process::init();
        for method in METHODS {
            let right = |value: Result<Vec<u32>, Error>| value.is_ok_and(|value| value == large());
            let at_once = started(Process::new(large, ()).method(method)).join();
            check_for(method, "join", right(at_once), "it arrives whole");
            // Python's guide forbids this: its child waits until somebody reads.
            let mut child = started(Process::new(large, ()).method(method));
            let ends = is_readable(child.sentinel().expect("it was started"), PollTimeout::NONE);
            check_for(method, "ends", ends, "its child ends though nobody reads");
            check_for(method, "after", right(child.join()), "and it arrives afterwards");
            let child = started(Process::new(large, ()).method(method));
            let sentinel = child.sentinel().expect("it was started").try_clone_to_owned();
            drop(child);
            let ends = is_readable(sentinel.expect("a descriptor").as_fd(), PollTimeout::NONE);
            check_for(method, "dropped", ends, "as it does when nobody will ever want it");
            active_children();
        }
    }
);

#[test]
fn a_result_larger_than_a_pipe_keeps_nobody_waiting() {
    let report = Judge::scenario(&returns_much);
    report.declare(both(&["join", "ends", "after", "dropped"])).run().assert_clean();
}

/// Can't be sent, or can't be received.
#[derive(Debug)]
enum Stubborn {
    Sent,
    Received,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stubborn::Sent => Err(serde::ser::Error::custom("it does not want to go")),
            Stubborn::Received => serializer.serialize_u8(7),
        }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Stubborn, D::Error> {
        Err(serde::de::Error::custom("it does not want to come"))
    }
}

fn stubborn(sent: bool) -> Stubborn {
    if sent { Stubborn::Sent } else { Stubborn::Received }
}

scenario!(
    fn transfers_what_it_can() {
        process::init();
        for method in METHODS {
            for (name, sent) in [("not sent", true), ("not received", false)] {
                let mut child = started(Process::new(stubborn, (sent,)).method(method));
                let told = matches!(child.join(), Err(Error::Result { .. }));
                let code = child.exitcode() == Some(i32::from(sent));
                check_for(method, name, told && code, "the value's error, and no hang");
            }
            let mut child = Process::new(|_: Stubborn| (), (Stubborn::Sent,)).method(method);
            let refused = matches!(child.start(), Err(Error::Arguments { .. }));
            let none = active_children().is_empty() && child.pid().is_none();
            check_for(method, "arguments", refused && none, "an error before anything is started");
            let mut child = Process::new(|_: Stubborn| (), (Stubborn::Received,)).method(method);
            child.start().expect("a process");
            let text = child.join().expect_err("they can't be read").to_string();
            let told = text.contains("its arguments arrived as something else");
            check_for(method, "misread", told, &text);
        }
    }
);

#[test]
fn what_cannot_be_transferred_is_an_error_that_says_so() {
    let names = ["not sent", "not received", "arguments", "misread"];
    Judge::scenario(&transfers_what_it_can).declare(both(&names)).run().assert_clean();
}

fn too_much() -> Vec<u32> {
    // The kernel then refuses to write beyond it, instead of ending the process.
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGXFSZ);
    blocked.thread_block().expect("a signal that can be blocked");
    setrlimit(Resource::RLIMIT_FSIZE, 4096, 4096).expect("less is always allowed");
    large()
}

scenario!(
    fn has_no_room_for_the_result() {
        process::init();
        for method in METHODS {
            let error = started(Process::new(too_much, ()).method(method)).join();
            let text = error.expect_err("there is no room").to_string();
            check_for(method, "told", text.contains("there is no room for it: "), &text);
        }
    }
);

#[test]
fn a_result_that_there_is_no_room_for_is_an_error_that_says_so() {
    Judge::scenario(&has_no_room_for_the_result).declare(both(&["told"])).run().assert_clean();
}

fn panics(how: u8) -> u32 {
    match how {
        0 => panic!("a text"),
        1 => panic!("a text with a number, {}", 7),
        _ => std::panic::panic_any(7),
    }
}

const TEXTS: [&str; 3] = ["a text", "a text with a number, 7", "a value that is no text"];

scenario!(
    fn has_panics() {
        process::init();
        for method in METHODS {
            for (how, text) in (0..).zip(TEXTS) {
                let mut child = started(Process::new(panics, (how,)).method(method));
                let result = child.join();
                let right = match &result {
                    Err(Error::Panicked { message, place, .. }) => {
                        message == text && place.contains("tests/result.rs:")
                    }
                    _ => false,
                };
                let code = child.exitcode() == Some(101);
                check_for(method, text, right && code, &format!("with its place: {result:?}"));
            }
        }
    }
);

#[test]
fn a_panics_text_reaches_stderr_and_the_parents_join() {
    let report = Judge::scenario(&has_panics).declare(both(&TEXTS)).run();
    report.assert_clean();
    assert_eq!(report.stderr().matches("a text with a number, 7\n").count(), 2, "{report}");
}

/// Leaves something to be written at its end, where nobody reads.
fn prints_into_a_broken_pipe() -> u8 {
    let (read, write) = io::pipe().expect("two descriptors");
    drop(read);
    nix::unistd::dup2_stdout(write).expect("it is open");
    print!("without a line's end");
    7
}

scenario!(
    fn has_a_broken_stdout() {
        process::init();
        for method in METHODS {
            let mut child = started(Process::new(prints_into_a_broken_pipe, ()).method(method));
            let value = child.join().is_ok_and(|value| value == 7);
            check_for(method, "value", value && child.exitcode() == Some(0), "success is success");
        }
    }
);

#[test]
fn a_broken_stdout_does_not_turn_success_into_failure() {
    Judge::scenario(&has_a_broken_stdout).declare(both(&["value"])).run().assert_clean();
}
