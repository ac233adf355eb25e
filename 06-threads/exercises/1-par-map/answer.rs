use std::thread;

/// Apply `f` to every item on up to `workers` (at least 1) threads at the same time; results in the order of the items.
/// Works for any number of items, also 0 and fewer than `workers`. A panic in `f` panics here too.
pub fn par_map<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    f: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    todo!("your code")
}
