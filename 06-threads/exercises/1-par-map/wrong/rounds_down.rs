// Wrong: the last items are nobody's.
// Refused by: every_number_of_items_works
// Told: use div_ceil
use std::thread;
pub fn par_map<T: Sync, R: Send>(items: &[T], workers: usize, f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let size = (items.len() / workers).max(1);
    let f = &f;
    thread::scope(|s| {
        let handles: Vec<_> = items
            .chunks(size)
            .take(workers)
            .map(|chunk| s.spawn(move || chunk.iter().map(f).collect::<Vec<R>>()))
            .collect();
        handles.into_iter().flat_map(|h| h.join().unwrap()).collect()
    })
}
