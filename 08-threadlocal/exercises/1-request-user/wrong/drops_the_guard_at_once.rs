// Wrong: `let _ =` drops the guard before f runs.
// Refused by: the_user_is_set_for_this_thread_alone
// Told: inside f the user was not set
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
    let _ = Restore(USER.replace(Some(user.to_string())));
    f()
}
