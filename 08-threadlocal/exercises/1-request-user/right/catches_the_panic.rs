// Right: it catches the panic, restores, and lets it go on.
use std::cell::RefCell;

thread_local! {
    static USER: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The user of the request that this thread handles now.
pub fn current_user() -> Option<String> {
    USER.with_borrow(|u| u.clone())
}

/// Run `f` as `user`. Afterwards, also when `f` panics, the user is what it was before (calls may be
/// nested).
pub fn with_user<R>(user: &str, f: impl FnOnce() -> R) -> R {
    let before = USER.replace(Some(user.to_string()));
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    USER.set(before);
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
