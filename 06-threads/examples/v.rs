//! x
use std::cell::OnceCell;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
struct D(Arc<u64>);
impl Drop for D {
    fn drop(&mut self) {
        std::hint::black_box(&self.0);
    }
}
thread_local! { static T: OnceCell<D> = const { OnceCell::new() }; }
static M: Mutex<Vec<Arc<u64>>> = Mutex::new(Vec::new());
fn named<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> thread::JoinHandle<R> {
    thread::Builder::new().name("Thread-12345".to_owned()).spawn(f).unwrap()
}
fn main() {
    let n = 100;
    let mut all: Vec<Vec<Duration>> = vec![vec![]; 8];
    for _ in 0..200 {
        let mut k = 0;
        let mut m = |f: &mut dyn FnMut()| {
            let t = Instant::now();
            for _ in 0..n {
                f()
            }
            all[k].push(t.elapsed() / n);
            k += 1;
        };
        m(&mut || {
            thread::spawn(|| 7).join().unwrap();
        });
        m(&mut || {
            named(|| 7).join().unwrap();
        });
        m(&mut || {
            named(|| nix::unistd::gettid()).join().unwrap();
        });
        m(&mut || {
            let a = Arc::new(1);
            named(|| {
                T.with(|t| {
                    let _ = t.set(D(a));
                })
            })
            .join()
            .unwrap();
        });
        m(&mut || {
            let a = Arc::new(1);
            M.lock().unwrap().push(a.clone());
            named(|| {
                let mut m = M.lock().unwrap();
                m.pop();
                drop(m);
                drop(a)
            })
            .join()
            .unwrap();
        });
        m(&mut || {
            let a: Box<dyn FnOnce() -> u32 + Send> = Box::new(|| 7);
            let s = Arc::new(Mutex::new(Some(a)));
            let t = s.clone();
            named(move || {
                let x = t.lock().unwrap().take().unwrap();
                x()
            })
            .join()
            .unwrap();
            drop(s);
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
        a.sort();
        println!("{:?} {:?}", a[a.len() / 4], a[a.len() / 2]);
    }
}
