//! Lesson 8: a value per thread and per object.

use std::cell::Cell;
use std::hint::black_box;

use crate::measure::{Asked, Measure, Outcome, Sides, Unit};

const CRATE: &str = "crate thread_local";
/// Each call of a side does so many: a call costs more than a look.
const MANY: u64 = 1_000;

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "threadlocal/get",
        job: "count in this thread's value of each of 16 objects",
        unit: Unit::TimeOf("count"),
        units: MANY / OBJECTS as u64 * OBJECTS as u64,
        asked: &[Asked::AtMost(0.7, CRATE)],
        pinned: false,
        sides: get,
    },
    Measure {
        name: "threadlocal/begin",
        job: "make an object, give it a value in this thread, and drop both",
        unit: Unit::TimeOf("object"),
        units: MANY,
        asked: &[],
        pinned: false,
        sides: begin,
    },
];

thread_local! {
    static BARE: Cell<u64> = const { Cell::new(0) };
}

/// Does `once` so many times.
fn many(mut once: impl FnMut()) -> Outcome {
    for _ in 0..MANY {
        once();
    }
    Ok(())
}

/// How many objects there are, each with a value in this thread.
const OBJECTS: usize = 16;

fn add(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
}

/// Counts in all of `objects`, over and over. Which objects they are the compiler can't know.
fn each<T>(objects: &[T], count: impl Fn(&T)) -> Outcome {
    for _ in 0..MANY / OBJECTS as u64 {
        black_box(objects).iter().for_each(&count);
    }
    Ok(())
}

fn get(sides: &mut Sides) -> Outcome {
    let new = |_| ::threadlocal::Local::new(Cell::default as fn() -> Cell<u64>);
    let locals: Vec<_> = (0..OBJECTS).map(new).collect();
    sides.ours("threadlocal::Local", move || each(&locals, |local| local.with(add)));
    sides.limit("thread_local!, const: no object", || each(&[(); OBJECTS], |()| BARE.with(add)));
    let locals: Vec<_> = (0..OBJECTS).map(|_| thread_local::ThreadLocal::new()).collect();
    sides.rival(CRATE, move || each(&locals, |local| add(local.get_or_default())));
    let keys = (0..OBJECTS).map(|_| ::threadlocal::Key::new(Cell::default as fn() -> Cell<u64>));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    sides.rival("pthread key", move || each(&keys, |key| drop(key.with(add))));
    sides.python(
        "Python threading.local",
        "
import threading
objects = [threading.local() for _ in range(16)]
for local in objects:
    local.n = 0
def run():
    for _ in range(62):
        for local in objects:
            local.n += 1
",
    );
    Ok(())
}

fn begin(sides: &mut Sides) -> Outcome {
    sides.ours("threadlocal::Local", || {
        many(|| black_box(::threadlocal::Local::new(Cell::default)).with(add))
    });
    sides.rival(CRATE, || {
        many(|| add(black_box(thread_local::ThreadLocal::new()).get_or_default()))
    });
    sides.python(
        "Python threading.local",
        "
import threading
def run():
    for _ in range(1000):
        local = threading.local()
        local.n = 0
        local.n += 1
",
    );
    Ok(())
}
