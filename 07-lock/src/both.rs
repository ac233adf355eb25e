use crate::{Mutex, MutexGuard};

/// Takes two mutexes in an order that is the same for everybody: that of their addresses.
///
/// Unlike one `lock` after the other, in the order in which a caller happens to name them, it can't
/// close a circle with another call of itself, so two transfers in opposite directions don't wait
/// for each other.
///
/// ```
/// let (anna, bert) = (lock::Mutex::new(100), lock::Mutex::new(100));
/// std::thread::scope(|scope| {
///     for (from, to) in [(&anna, &bert), (&bert, &anna)] {
///         scope.spawn(move || {
///             for _ in 0..1000 {
///                 let (mut from, mut to) = lock::both(from, to);
///                 *from -= 1;
///                 *to += 1;
///             }
///         });
///     }
/// });
/// assert_eq!((anna.into_inner(), bert.into_inner()), (100, 100));
/// ```
///
/// # Panics
///
/// When both are the same mutex: the second wait would be for the first guard.
pub fn both<'a, A: ?Sized, B: ?Sized>(
    first: &'a Mutex<A>,
    second: &'a Mutex<B>,
) -> (MutexGuard<'a, A>, MutexGuard<'a, B>) {
    let (one, other) = (std::ptr::from_ref(&first.raw), std::ptr::from_ref(&second.raw));
    assert!(one != other, "both are the same mutex: its thread would wait for itself");
    if one < other {
        let first = first.lock();
        (first, second.lock())
    } else {
        let second = second.lock();
        (first.lock(), second)
    }
}
