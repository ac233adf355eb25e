//! x
use std::thread;
use std::time::Instant;
fn main() {
    let n = 3000;
    for _ in 0..6 {
        let t = Instant::now();
        for _ in 0..n {
            thread::spawn(|| 7).join().unwrap();
        }
        let a = t.elapsed() / n;
        let t = Instant::now();
        for _ in 0..n {
            thread::Builder::new()
                .name("Thread-12345".to_owned())
                .spawn(|| 7)
                .unwrap()
                .join()
                .unwrap();
        }
        let b = t.elapsed() / n;
        let t = Instant::now();
        for _ in 0..n {
            let mut x = threads::Thread::new(|| 7);
            x.start().unwrap();
            x.join().unwrap();
        }
        let c = t.elapsed() / n;
        println!("std {a:?} named {b:?} ours {c:?}");
    }
}
