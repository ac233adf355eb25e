use std::{fs, io};

use crossbeam_channel::bounded;
use threads::{Thread, current_thread, enumerate};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    // Variables go in the reverse order of their declarations, also when a `?` ends this early: so
    // `end`, which the threads wait for, before the threads, which are waited for.
    let mut threads;
    let (end, ended) = bounded::<()>(0);
    let wait = || {
        let ended = ended.clone();
        // Until nobody can send any more.
        move || {
            let _ = ended.recv();
        }
    };
    threads = [
        Thread::new(wait()).name("anna"),
        Thread::new(wait()).daemon(true),
        Thread::new(wait()).name("a name that is rather long"),
    ];
    threads.iter_mut().try_for_each(Thread::start)?;
    // A name is given by the thread itself, as its first act.
    for thread in &threads {
        thread.native_id();
    }

    say!("As this process sees its threads:")?;
    let me = current_thread();
    for thread in enumerate() {
        let note = match (thread.ident() == me.ident(), thread.daemon()) {
            (true, _) => " (that's me)",
            (false, true) => " (daemon)",
            (false, false) => "",
        };
        say!("    {:>7}  {}{note}", thread.native_id(), thread.name())?;
    }
    say!(
        "As the kernel does, which keeps 15 bytes of a name (in `top -H` and in debuggers, too):"
    )?;
    for (id, name) in tasks()? {
        say!("    {id:>7}  {name}")?;
    }
    say!("The main thread has the number of the process; its name there is the program's.")?;
    drop(end);
    Ok(())
}

fn tasks() -> io::Result<Vec<(i32, String)>> {
    let mut tasks = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        let id = path.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0);
        // One that ended meanwhile has none.
        if let Ok(name) = fs::read_to_string(path.join("comm")) {
            tasks.push((id, name.trim_end().to_owned()));
        }
    }
    tasks.sort_unstable();
    Ok(tasks)
}
