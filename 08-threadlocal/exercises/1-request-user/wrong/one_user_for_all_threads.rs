// Wrong: a static is one for all threads.
// Refused by: the_user_is_set_for_this_thread_alone
// Told: another thread saw
use std::cell::RefCell;

static USER: std::sync::Mutex<Option<String>> = std::sync::Mutex::new(None);

/// The user of the request that this thread handles now.
pub fn current_user() -> Option<String> {
    USER.lock().unwrap().clone()
}

/// Run `f` as `user`. Afterwards, also when `f` panics, the user is what it was before (calls may be
/// nested).
pub fn with_user<R>(user: &str, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<String>);
    impl Drop for Restore {
        fn drop(&mut self) {
            *USER.lock().unwrap() = self.0.take();
        }
    }
    let _restore = Restore(USER.lock().unwrap().replace(user.to_string()));
    f()
}
