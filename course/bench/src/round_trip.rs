//! Lesson 5, there and back: with the other side awake, and asleep.

use std::hint::spin_loop;
use std::io::{PipeWriter, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::ipc::{Getter, Putter};

use crate::ipc::{PIPES, QUEUE, end, expect, partner};
use crate::limit::{self, Worker};
use crate::measure::{Kind, Outcome, Sides};
use crate::words::Words;

/// A child that sends back each number, over two queues.
fn echo() -> Outcome<(Putter<u64>, Getter<u64>)> {
    partner(16, 1 << 16, |theirs, answer| {
        loop {
            end(answer.put(&end(theirs.get())?))?;
        }
    })
}

const PYTHON_ECHO: &str = "
import multiprocessing
context = multiprocessing.get_context('fork')
there, back = context.Queue(), context.Queue()
def work():
    while True:
        back.put(there.get())
process = context.Process(target=work, daemon=True)
process.start()
def run():
    there.put(7)
    assert back.get() == 7
";

pub(crate) fn awake(sides: &mut Sides) -> Outcome {
    let (there, back) = echo()?;
    sides.ours("two ipc::Queue", move || {
        there.put(&7)?;
        expect(back.get()?, 7)
    });
    let words = Arc::new((Words::new()?, Words::new()?));
    let theirs = words.clone();
    limit::child(move || {
        (0..u64::MAX).for_each(|_| theirs.1.put(theirs.0.get()));
        Ok(())
    })?;
    sides.limit("two rings of words", move || {
        words.0.put(7);
        expect(words.1.get(), 7)
    });
    sides.python(QUEUE, PYTHON_ECHO);
    Ok(())
}

/// Long enough for the other side to give up and sleep.
const PAUSE: Duration = Duration::from_micros(200);

/// Times round trips one by one, each after a pause in which this side is busy.
fn after_pauses(
    mut round_trip: impl FnMut() -> Outcome + 'static,
) -> impl FnMut(u64) -> Outcome<Duration> {
    move |calls| {
        let mut time = Duration::ZERO;
        for _ in 0..calls {
            let pause = Instant::now();
            while pause.elapsed() < PAUSE {
                spin_loop();
            }
            let start = Instant::now();
            round_trip()?;
            time += start.elapsed();
        }
        Ok(time)
    }
}

pub(crate) fn asleep(sides: &mut Sides) -> Outcome {
    let (there, back) = echo()?;
    let round_trip = move || {
        there.put(&7)?;
        expect(back.get()?, 7)
    };
    sides.with_own_clock(Kind::Ours, "two ipc::Queue", after_pauses(round_trip));
    let (asker, answerer) = ::ipc::duplex::<u64, u64>()?;
    drop(::ipc::fork_with(answerer, |answerer| {
        while let Ok(number) = answerer.recv() {
            if answerer.send(&number).is_err() {
                break;
            }
        }
        0
    })?);
    let round_trip = move || {
        asker.send(&7)?;
        expect(asker.recv()?, 7)
    };
    sides.with_own_clock(Kind::Ours, "ipc::duplex", after_pauses(round_trip));
    let Worker { mut to, mut from } = Worker::fork(limit::echo)?;
    let round_trip = move || {
        let mut message = 7_u64.to_ne_bytes();
        PipeWriter::write_all(&mut to, &message)?;
        from.read_exact(&mut message)?;
        expect(u64::from_ne_bytes(message), 7)
    };
    sides.with_own_clock(Kind::Limit, PIPES, after_pauses(round_trip));
    Ok(())
}
