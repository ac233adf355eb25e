// What `with_user` must do. Two requests on one thread, one after the other, as in a pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use judge::exercise::{Case, require};

use super::answer::{current_user, with_user};

pub(crate) const CASES: &[Case] = &[
    Case::of(&the_user_is_set_for_this_thread_alone).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&the_next_request_has_no_user).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&a_nested_call_gives_the_outer_user_back).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&a_panic_restores_the_user).within(Duration::from_secs(1)).hang(HANG),
];

const HANG: &str = "hang: f or another thread waits for something that with_user holds; a thread-local \
                    needs no lock";

judge::case!(
    fn the_user_is_set_for_this_thread_alone() {
        let got = with_user("ann", || {
            let user = catch_unwind(current_user);
            require(
                user.is_ok(),
                "current_user panicked inside f: do not hold a borrow of the thread-local while f runs",
            );
            require(
                user.is_ok_and(|user| user.as_deref() == Some("ann")),
                "inside f the user was not set: set it before f, and a guard that restores it must \
                 live until f has ended (`let _ =` drops it at once)",
            );
            let others = thread::scope(|s| s.spawn(current_user).join());
            require(
                others.is_ok_and(|user| user.is_none()),
                "another thread saw the user of this thread: keep it in the thread_local!",
            );
            7
        });
        require(got == 7, "with_user did not return what f returned");
    }
);

judge::case!(
    fn the_next_request_has_no_user() {
        let worker = thread::spawn(|| {
            with_user("ann", || ());
            current_user()
        });
        require(
            worker.join().is_ok_and(|user| user.is_none()),
            "the next request on the same thread still ran as the previous user: the pool uses its \
             threads again, restore the value at the end",
        );
    }
);

judge::case!(
    fn a_nested_call_gives_the_outer_user_back() {
        with_user("ann", || {
            let inner = with_user("admin", current_user);
            require(
                inner.as_deref() == Some("admin"),
                "the inner call did not run as its own user",
            );
            let outer = current_user();
            require(
                outer.as_deref() == Some("ann"),
                &format!(
                    "after an inner call the outer user is {outer:?}: put back what was there before, \
                     not None"
                ),
            );
        });
        require(current_user().is_none(), "after two nested calls there is still a user");
    }
);

judge::case!(
    fn a_panic_restores_the_user() {
        let request = || with_user("ann", || panic!("f panics, on purpose"));
        require(
            catch_unwind(AssertUnwindSafe(request)).is_err(),
            "f panicked, and with_user kept it to itself",
        );
        require(
            current_user().is_none(),
            "after a panic the thread still has the old user: restore in a Drop guard, not after the \
             call",
        );
        with_user("ann", || {
            let request = || with_user("admin", || panic!("f panics, on purpose"));
            let _ = catch_unwind(AssertUnwindSafe(request));
            require(
                current_user().as_deref() == Some("ann"),
                "after a panic in an inner call the outer user is gone: put back what was there before",
            );
        });
    }
);
