//! x
fn main() {
    let ours = std::env::args().nth(1).is_some();
    for _ in 0..60000 {
        if ours {
            let mut x = threads::Thread::new(|| 7);
            x.start().unwrap();
            x.join().unwrap();
        } else {
            std::thread::Builder::new()
                .name("Thread-12345".to_owned())
                .spawn(|| 7)
                .unwrap()
                .join()
                .unwrap();
        }
    }
}
