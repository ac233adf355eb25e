use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

use threadlocal::Local;

use super::Outcome;

static USER: Local<RefCell<Option<&str>>> = Local::new(RefCell::default);

fn whoami() -> &'static str {
    USER.with_borrow(|user| user.unwrap_or("nobody"))
}

/// A task as one writes it for a thread of its own: the user goes with the thread.
fn careless(login: Option<&'static str>) {
    if login.is_some() {
        USER.set(login);
    }
    println!("    {:<10} runs as {}", login.unwrap_or("no login"), whoami());
}

/// Takes back what the task has set, at its end and in a panic.
fn careful(login: Option<&'static str>) {
    struct Restore(Option<&'static str>);
    impl Drop for Restore {
        fn drop(&mut self) {
            USER.set(self.0);
        }
    }
    let _restore = Restore(USER.replace(login));
    println!("    {:<10} runs as {}", login.unwrap_or("no login"), whoami());
}

pub(crate) fn run() -> Outcome {
    for (title, task) in [
        ("A pool of one thread, and tasks that leave the user behind:", careless as fn(_)),
        ("The same, and each task takes back what it has set:", careful),
    ] {
        println!("{title}");
        let (submit, tasks) = mpsc::channel();
        let worker = thread::spawn(move || tasks.into_iter().for_each(task));
        for login in [Some("Alice"), None, Some("Bob")] {
            submit.send(login)?;
        }
        drop(submit);
        let _ = worker.join();
    }
    Ok(())
}
