use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

/// What is known of a panic.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Panic {
    pub message: String,
    pub place: String,
}

thread_local! {
    /// Whether this thread runs a task, whose panics are its caller's affair.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// What the hook saw: whoever catches a panic is not told its place.
    static SEEN: RefCell<Panic> = RefCell::default();
}

/// Has the panics of tasks kept, for the error that their caller gets, instead of printed. All
/// others are printed as before. Called once in a worker.
pub(crate) fn keep_those_of_tasks() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !CATCHING.get() {
            return before(info);
        }
        let payload = info.payload();
        let message = (payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a value that is no text".to_owned());
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        SEEN.set(Panic { message, place });
    }));
}

/// Runs a task, or an initializer.
pub(crate) fn catch<T>(task: impl FnOnce() -> T) -> Result<T, Panic> {
    CATCHING.set(true);
    let ended = catch_unwind(AssertUnwindSafe(task));
    CATCHING.set(false);
    ended.map_err(|payload| {
        // Its destructor is the task's code, and may panic again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        SEEN.take()
    })
}
