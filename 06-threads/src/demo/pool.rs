use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use threads::{ThreadPool, current_thread};

use super::Outcome;

const TASKS: u32 = 1_000_000;

pub(crate) fn run() -> Outcome {
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    let pool = Arc::new(ThreadPool::new(workers)?);

    let start = Instant::now();
    let ids = pool.map(|_| thread::current().id(), 0..TASKS)?;
    let took = start.elapsed();
    let mut done = BTreeMap::<String, u32>::new();
    for id in ids {
        *done.entry(format!("{id:?}")).or_default() += 1;
    }
    say!("{TASKS} tasks of one map, in {took:.1?}:")?;
    for (id, count) in done {
        say!("    {count:>7} by {id}")?;
    }

    // The pool is the task's, too: an `Arc`, as what it may borrow would have to live for ever.
    let inner = Arc::clone(&pool);
    let name = pool.apply(move || inner.apply(|| current_thread().name().to_owned()))??;
    say!("A task that waits for a task of its own pool has it done, by {name}.")?;

    let failed = pool.apply_async(|| [1, 2, 3].iter().position(|&it| it == 4).expect("a four"));
    let after = pool.apply_async(|| 6 * 7);
    if let Err(error) = failed.get() {
        say!("A task fails: {error}")?;
    }
    say!("The next one gives {}.", after.get()?)?;

    let before = ticks()?;
    #[expect(clippy::disallowed_methods, reason = "that nothing happens meanwhile is the point")]
    thread::sleep(Duration::from_millis(100));
    say!("Idle for 100 ms, the whole process used {} ticks of 10 ms.", ticks()? - before)?;

    if let Some(pool) = Arc::into_inner(pool) {
        pool.close().join();
        say!("Closed, and joined: {} thread is left.", threads::active_count())?;
    }
    Ok(())
}

/// The processor time of this process, user and system: fields 14 and 15 of proc_pid_stat(5).
fn ticks() -> Result<u64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after) = stat.rsplit_once(')').ok_or("a line of /proc/self/stat has a name")?;
    let fields = after.split_whitespace().skip(11).take(2);
    Ok(fields.map(str::parse::<u64>).sum::<Result<_, _>>()?)
}
