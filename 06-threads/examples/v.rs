//! x
use std::thread;
fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e6 + t.tv_nsec as f64 / 1e3
}
fn named<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> thread::JoinHandle<R> {
    thread::Builder::new().name("Thread-12345".to_owned()).spawn(f).unwrap()
}
fn main() {
    let n = 50;
    let mut all: Vec<Vec<f64>> = vec![vec![]; 4];
    for _ in 0..600 {
        let mut k = 0;
        let mut m = |f: &mut dyn FnMut()| {
            let t = cpu();
            for _ in 0..n {
                f()
            }
            all[k].push((cpu() - t) / n as f64);
            k += 1;
        };
        m(&mut || {
            thread::spawn(|| 7).join().unwrap();
        });
        m(&mut || {
            named(|| 7).join().unwrap();
        });
        m(&mut || {
            named(|| {
                let _ = std::panic::catch_unwind(|| 7);
                nix::unistd::gettid()
            })
            .join()
            .unwrap();
        });
        m(&mut || {
            let mut x = threads::Thread::new(|| 7);
            x.start().unwrap();
            x.join().unwrap();
        });
    }
    for mut a in all {
        if a.is_empty() {
            continue;
        }
        a.sort_by(f64::total_cmp);
        print!("{:.2} {:.2} | ", a[a.len() / 4], a[a.len() / 2]);
    }
    println!();
}
