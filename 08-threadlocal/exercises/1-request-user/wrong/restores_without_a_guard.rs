// Wrong: it restores after f, without a guard.
// Refused by: a_panic_restores_the_user
// Told: restore in a Drop guard
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
    let before = USER.replace(Some(user.to_string()));
    let r = f();
    USER.set(before);
    r
}
