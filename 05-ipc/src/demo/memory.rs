use std::fs;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;

use ipc::{Event, SharedMemory, Value};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let memory = SharedMemory::new(4096)?;
    let mut own = 0;
    let child = fork::fork(|| {
        own += 42;
        memory[0].store(42, Relaxed);
        0
    })?;
    child.wait()?;
    println!("A child stored 42 twice. I see:");
    println!("    in a variable        {own}, since it changed its copy");
    println!("    in shared memory     {}", memory[0].load(Relaxed));
    let names = fs::read_dir("/dev/shm")?.count();
    println!(
        "It has no name, so none is left behind: /dev/shm has {names} entries, none of them mine.\n"
    );

    let cpus = available_parallelism().map_or(1, usize::from);
    println!("Four children add 1, 100,000 times each, all at once ({cpus} CPUs):");
    let go = Event::new()?;
    let all_at_once = |add: &dyn Fn()| -> Outcome {
        go.clear();
        let children = [(); 4].map(|()| {
            fork::fork(|| {
                go.wait();
                (0..100_000).for_each(|_| add());
                0
            })
        });
        go.set();
        for child in children {
            child?.wait()?;
        }
        Ok(())
    };
    all_at_once(&|| memory[1].store(memory[1].load(Relaxed) + 1, Relaxed))?;
    println!(
        "    load, add, store     {:6}: what others add in between is lost",
        memory[1].load(Relaxed)
    );
    all_at_once(&|| {
        memory[2].fetch_add(1, Relaxed);
    })?;
    println!("    fetch_add            {:6}: one step of the processor", memory[2].load(Relaxed));
    let value = Value::new(0)?;
    all_at_once(&|| value.update(|value| *value += 1).expect("nobody dies with the lock"))?;
    println!("    under a lock         {:6}: any number of steps", value.get()?);
    Ok(())
}
