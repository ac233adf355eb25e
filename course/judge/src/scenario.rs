/// A function of a test binary that runs in a process of its own: see [`scenario!`](crate::scenario).
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// The name under which the process finds its function: unique in the binary.
    #[doc(hidden)]
    pub name: &'static str,
}

/// Registers a function as a scenario of this test binary and defines a constant of its name.
///
/// Unlike a `#[test]`, which shares its process with other tests and runs on a thread of the
/// harness, a scenario runs alone: [`Judge::scenario`](crate::Judge::scenario) executes the binary
/// again, and the scenario runs on its main thread before the harness begins. So it may fork,
/// change limits, leave things behind or crash.
///
/// ```
/// judge::scenario!(fn greets() { println!("hello"); });
/// ```
#[macro_export]
macro_rules! scenario {
    ($(#[$doc:meta])* fn $name:ident() $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        #[allow(non_upper_case_globals, reason = "it is named as the function that it stands for")]
        const $name: $crate::Scenario = {
            fn $name() $(-> $result)? $body
            // A block of its own: the body sees none of these names, and may call a `run` of its own.
            {
                extern "C" fn before_main(
                    _: ::std::os::raw::c_int,
                    _: *const *const ::std::os::raw::c_char,
                    _: *const *const ::std::os::raw::c_char,
                ) {
                    $crate::scenario::run_if_named(NAME, || $crate::scenario::end($name()));
                }
                const NAME: &str = concat!(module_path!(), "::", stringify!($name));
                #[used]
                #[allow(unsafe_code, reason = "the linker's list of what runs before main has no safe name")]
                #[unsafe(link_section = ".init_array.65535")]
                static BEFORE_MAIN: extern "C" fn(
                    ::std::os::raw::c_int,
                    *const *const ::std::os::raw::c_char,
                    *const *const ::std::os::raw::c_char,
                ) = before_main;
                $crate::Scenario { name: NAME }
            }
        };
    };
}

/// What a scenario may return; it becomes the process's exit code.
pub trait Outcome {
    /// The exit code.
    fn code(self) -> i32;
}

impl Outcome for () {
    fn code(self) -> i32 {
        0
    }
}

impl Outcome for i32 {
    fn code(self) -> i32 {
        self
    }
}

impl<E: std::fmt::Debug> Outcome for Result<(), E> {
    fn code(self) -> i32 {
        match self {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("Error: {error:?}");
                1
            }
        }
    }
}

/// Ends the scenario's process.
#[doc(hidden)]
pub fn end(outcome: impl Outcome) {
    crate::case::end(outcome.code());
}

/// Called in every process of the test binary, once for each scenario that it has.
#[doc(hidden)]
pub fn run_if_named(name: &str, run: fn()) {
    if crate::case::is_named(name) {
        crate::case::run(run);
    }
}
