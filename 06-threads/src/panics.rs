use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// What is left of a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panic {
    pub message: String,
    /// File, line and column.
    pub place: String,
}

thread_local! {
    /// Where this thread panicked last: a panic's payload does not say it, its hook does.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// From now on panics note their place. The hook that was there, such as the one that prints the
/// message, is called as before.
pub(crate) fn note_panics() {
    static HOOK: Once = Once::new();
    // A hook can't be changed in the middle of a panic.
    if !std::thread::panicking() {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                PLACE.set(panic.location().map(ToString::to_string));
                before(panic);
            }));
        });
    }
}

/// Runs `f` to its end, or to its panic's.
///
/// What `f` may leave half-changed is seen by nobody (a thread's function owns what it uses), or is
/// behind a lock, which is then poisoned.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| Panic {
        message: message(&*payload),
        // Unknown where the program has set a hook of its own since, or resumed an older panic.
        place: PLACE.take().unwrap_or_else(|| "an unknown place".to_owned()),
    })
}

/// `panic!` with a text sends it as `&str` or `String`; `panic_any` may send anything.
fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is no text".to_owned()
    }
}
