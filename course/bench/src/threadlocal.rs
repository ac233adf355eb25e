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
        job: "count in this thread's value of an object",
        unit: Unit::TimeOf("count"),
        units: MANY,
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

fn add(cell: &Cell<u64>) {
    cell.set(black_box(cell.get()) + 1);
}

fn get(sides: &mut Sides) -> Outcome {
    let local = ::threadlocal::Local::new(|| Cell::new(0));
    sides.ours("threadlocal::Local", move || many(|| black_box(&local).with(add)));
    sides.limit("thread_local!, const: no object", || many(|| BARE.with(add)));
    let local = thread_local::ThreadLocal::new();
    sides.rival(CRATE, move || many(|| add(black_box(&local).get_or_default())));
    let key = ::threadlocal::Key::new(|| Cell::new(0))?;
    sides.rival("pthread key", move || many(|| drop(black_box(&key).with(add))));
    sides.python(
        "Python threading.local",
        "
import threading
local = threading.local()
local.n = 0
def run():
    for _ in range(1000):
        local.n += 1
",
    );
    Ok(())
}

fn begin(sides: &mut Sides) -> Outcome {
    sides.ours("threadlocal::Local", || {
        many(|| black_box(::threadlocal::Local::new(|| Cell::new(0))).with(add))
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
