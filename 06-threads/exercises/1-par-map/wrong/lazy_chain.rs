// Wrong: spawn and join are one lazy chain.
// Refused by: workers_threads_work_at_once
// Told: iterators are lazy
use std::thread;
pub fn par_map<T: Sync, R: Send>(items: &[T], workers: usize, f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let size = items.len().div_ceil(workers).max(1);
    let f = &f;
    thread::scope(|s| {
        items
            .chunks(size)
            .map(|chunk| s.spawn(move || chunk.iter().map(f).collect::<Vec<R>>()))
            .flat_map(|h| h.join().unwrap())
            .collect()
    })
}
