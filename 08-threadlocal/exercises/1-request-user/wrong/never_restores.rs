// Wrong: it sets the user, and never restores.
// Refused by: the_next_request_has_no_user
// Told: still ran as the previous user
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
    struct Restore(Option<String>);
    impl Drop for Restore {
        fn drop(&mut self) {
            USER.set(self.0.take());
        }
    }
    USER.set(Some(user.to_string()));
    f()
}
