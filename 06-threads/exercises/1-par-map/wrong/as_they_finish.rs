// Wrong: results come in the order in which they are done.
// Refused by: results_are_in_order
// Told: in the order in which they were done
use std::thread;

pub fn par_map<T: Sync, R: Send>(items: &[T], workers: usize, f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let size = items.len().div_ceil(workers).max(1);
    let f = &f;
    let (tx, rx) = std::sync::mpsc::channel();
    thread::scope(|s| {
        for chunk in items.chunks(size) {
            let tx = tx.clone();
            s.spawn(move || chunk.iter().for_each(|item| tx.send(f(item)).unwrap()));
        }
    });
    drop(tx);
    rx.into_iter().collect()
}
