//! Lesson 5: how processes pass data on.
//!
//! iceoryx2, the fastest rival, is not here: its 92 crates build for two minutes.

use std::sync::Arc;

use ::ipc::{Getter, Putter, Queue};
use ipc_channel::ipc;

use crate::limit::{self, Mapping};
use crate::measure::{Asked, Measure, Outcome, Sides, Unit};
use crate::round_trip;
use crate::words::Words;

/// Messages of the measures in one direction.
const MANY: u64 = 10_000;
/// Large messages of the measure in one direction.
const LARGE: u64 = 16;
const MEBIBYTE: usize = 1 << 20;

pub(crate) const QUEUE: &str = "Python Queue";
const CHANNEL: &str = "ipc-channel";
pub(crate) const PIPES: &str = "a pair of pipes";

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "ipc/small",
        job: "10,000 messages of 8 bytes, one way",
        unit: Unit::Rate("messages"),
        units: MANY,
        asked: &[Asked::AtLeast(30.0, QUEUE), Asked::AtLeast(5.0, CHANNEL)],
        pinned: false,
        sides: small,
    },
    Measure {
        name: "ipc/mebibyte",
        job: "16 messages of 1 MiB, one way",
        unit: Unit::Bytes,
        units: LARGE * MEBIBYTE as u64,
        asked: &[Asked::AtLeast(30.0, QUEUE)],
        pinned: false,
        sides: mebibyte,
    },
    Measure {
        name: "ipc/round-trip",
        job: "8 bytes there and back, both sides awake",
        unit: Unit::TimeOf("round trip"),
        units: 1,
        asked: &[Asked::AtLeast(100.0, QUEUE)],
        pinned: false,
        sides: round_trip::awake,
    },
    Measure {
        name: "ipc/round-trip-asleep",
        job: "8 bytes there and back, after a pause: the other side sleeps",
        unit: Unit::TimeOf("round trip"),
        units: 1,
        asked: &[Asked::AtMost(1.1, PIPES)],
        pinned: false,
        sides: round_trip::asleep,
    },
    Measure {
        name: "ipc/lock",
        job: "take a lock that is free, and open it",
        unit: Unit::TimeOf("lock"),
        units: MANY,
        asked: &[Asked::AtLeast(10.0, "Python Lock")],
        pinned: false,
        sides: lock,
    },
];

/// The sum of the numbers of one job, which the receiver answers with: so each job is known to be done.
const SUM: u64 = MANY * (MANY - 1) / 2;

pub(crate) fn expect(answer: u64, right: u64) -> Outcome {
    if answer == right { Ok(()) } else { Err(format!("{answer} arrived, not {right}").into()) }
}

pub(crate) fn end<T, E: std::error::Error + Send + Sync + 'static>(
    result: Result<T, E>,
) -> std::io::Result<T> {
    result.map_err(std::io::Error::other)
}

/// A child that gets from one queue and answers into another one, until nobody puts any more.
pub(crate) fn partner(
    capacity: usize,
    room: usize,
    work: impl Fn(Getter<u64>, Putter<u64>) -> std::io::Result<()>,
) -> Outcome<(Putter<u64>, Getter<u64>)> {
    let (there, theirs) = Queue::with_room(capacity, room)?.split()?;
    let (answer, back) = Queue::new(16)?.split()?;
    let child = ::ipc::fork_with((theirs, answer), |(theirs, answer)| {
        i32::from(work(theirs, answer).is_err())
    })?;
    drop(child);
    Ok((there, back))
}

fn small(sides: &mut Sides) -> Outcome {
    // The last of ours comes first, and is what the others are compared with: the queue.
    let (sender, receiver) = ::ipc::pipe::<u64>()?;
    let (answer, back) = ::ipc::pipe::<u64>()?;
    drop(::ipc::fork_with((receiver, answer), |(receiver, answer)| {
        let serve = || -> std::io::Result<()> {
            loop {
                let mut sum = 0;
                for _ in 0..MANY {
                    sum += end(receiver.recv())?;
                }
                end(answer.send(&sum))?;
            }
        };
        i32::from(serve().is_err())
    })?);
    sides.ours("ipc::pipe, values", move || {
        for number in 0..MANY {
            sender.send(&number)?;
        }
        expect(back.recv()?, SUM)
    });

    let (there, back) = partner(1000, 1 << 20, |theirs, answer| {
        let mut message = Vec::new();
        loop {
            let mut sum = 0;
            for _ in 0..MANY {
                end(theirs.get_bytes(&mut message))?;
                sum += u64::from_ne_bytes(end(message[..].try_into())?);
            }
            end(answer.put(&sum))?;
        }
    })?;
    sides.ours("ipc::Queue, bytes", move || {
        for number in 0..MANY {
            there.put_bytes(&number.to_ne_bytes())?;
        }
        expect(back.get()?, SUM)
    });

    let (there, back) = partner(1000, 1 << 20, |theirs, answer| {
        loop {
            let mut sum = 0;
            for _ in 0..MANY {
                sum += end(theirs.get())?;
            }
            end(answer.put(&sum))?;
        }
    })?;
    sides.ours("ipc::Queue, values", move || {
        for number in 0..MANY {
            there.put(&number)?;
        }
        expect(back.get()?, SUM)
    });

    let (ring, back) = (Arc::new(Words::new()?), Arc::new(Words::new()?));
    let (theirs, answer) = (ring.clone(), back.clone());
    limit::child(move || {
        (0..u64::MAX).for_each(|_| answer.put((0..MANY).map(|_| theirs.get()).sum()));
        Ok(())
    })?;
    sides.limit("a ring of words, no locks, no sleep", move || {
        (0..MANY).for_each(|number| ring.put(number));
        expect(back.get(), SUM)
    });

    let (sender, receiver) = ipc::channel::<u64>()?;
    let (answer, back) = ipc::channel::<u64>()?;
    limit::child(move || {
        loop {
            let mut sum = 0;
            for _ in 0..MANY {
                sum += end(receiver.recv())?;
            }
            end(answer.send(sum))?;
        }
    })?;
    sides.rival(CHANNEL, move || {
        for number in 0..MANY {
            sender.send(number)?;
        }
        expect(back.recv()?, SUM)
    });

    let script = |there: &str, put: &str, get: &str| {
        format!(
            "
import multiprocessing
context = multiprocessing.get_context('fork')
{there}
back, answer = context.Pipe(False)
def work():
    while True:
        count = 0
        for _ in range({MANY}):
            {get}
            count += 1
        answer.send(count)
process = context.Process(target=work, daemon=True)
process.start()
message = b'12345678'
def run():
    for number in range({MANY}):
        {put}
    assert back.recv() == {MANY}
"
        )
    };
    let queue = "queue = context.Queue()";
    sides.python(QUEUE, &script(queue, "queue.put(number)", "queue.get()"));
    let pipe = "receiver, sender = context.Pipe(False)";
    let (put, get) = ("sender.send_bytes(message)", "receiver.recv_bytes()");
    sides.python("Python Pipe, bytes", &script(pipe, put, get));
    Ok(())
}

fn mebibyte(sides: &mut Sides) -> Outcome {
    let (message, right) = (vec![b'x'; MEBIBYTE], LARGE * MEBIBYTE as u64);
    let (sender, receiver) = ::ipc::pipe::<()>()?;
    let (answer, back) = ::ipc::pipe::<u64>()?;
    drop(::ipc::fork_with((receiver, answer), |(receiver, answer)| {
        let serve = || -> std::io::Result<()> {
            let mut message = Vec::new();
            loop {
                let mut bytes = 0;
                for _ in 0..LARGE {
                    end(receiver.recv_bytes(&mut message))?;
                    bytes += message.len() as u64;
                }
                end(answer.send(&bytes))?;
            }
        };
        i32::from(serve().is_err())
    })?);
    let mine = message.clone();
    sides.ours("ipc::pipe, bytes", move || {
        for _ in 0..LARGE {
            sender.send_bytes(&mine)?;
        }
        expect(back.recv()?, right)
    });

    let (there, back) = partner(16, 4 << 20, |theirs, answer| {
        let mut message = Vec::new();
        loop {
            let mut bytes = 0;
            for _ in 0..LARGE {
                end(theirs.get_bytes(&mut message))?;
                bytes += message.len() as u64;
            }
            end(answer.put(&bytes))?;
        }
    })?;
    let mine = message.clone();
    sides.ours("ipc::Queue, bytes", move || {
        for _ in 0..LARGE {
            there.put_bytes(&mine)?;
        }
        expect(back.get()?, right)
    });

    // Two places, so that one is filled while the other one is emptied. Each process has its own
    // value for the same memory.
    let turns = Arc::new((Words::new()?, Words::new()?));
    let mut places = Mapping::shared(2 * MEBIBYTE)?;
    let theirs = turns.clone();
    limit::child(|| {
        let mut message = vec![0; MEBIBYTE];
        (0..u64::MAX).for_each(|_| {
            let place = theirs.0.get() as usize;
            message.copy_from_slice(&places[place * MEBIBYTE..][..MEBIBYTE]);
            theirs.1.put(message[MEBIBYTE - 1].into());
        });
        Ok(())
    })?;
    sides.limit("shared memory, copied in and out", move || {
        for number in 0..LARGE as usize {
            if number >= 2 {
                expect(turns.1.get(), b'x'.into())?;
            }
            places[number % 2 * MEBIBYTE..][..MEBIBYTE].copy_from_slice(&message);
            turns.0.put(number as u64 % 2);
        }
        expect(turns.1.get() + turns.1.get(), 2 * u64::from(b'x'))
    });

    let (sender, receiver) = ipc::bytes_channel()?;
    let (answer, back) = ipc::channel::<u64>()?;
    limit::child(move || {
        loop {
            let mut bytes = 0;
            for _ in 0..LARGE {
                bytes += end(receiver.recv())?.len() as u64;
            }
            end(answer.send(bytes))?;
        }
    })?;
    let mine = vec![b'x'; MEBIBYTE];
    sides.rival("ipc-channel, bytes", move || {
        for _ in 0..LARGE {
            sender.send(&mine)?;
        }
        expect(back.recv()?, right)
    });

    let script = |there: &str, put: &str, get: &str| {
        format!(
            "
import multiprocessing
context = multiprocessing.get_context('fork')
{there}
back, answer = context.Pipe(False)
def work():
    while True:
        answer.send(sum(len({get}) for _ in range({LARGE})))
process = context.Process(target=work, daemon=True)
process.start()
message = b'x' * {MEBIBYTE}
def run():
    for _ in range({LARGE}):
        {put}
    assert back.recv() == {right}
"
        )
    };
    let queue = "queue = context.Queue()";
    sides.python(QUEUE, &script(queue, "queue.put(message)", "queue.get()"));
    let pipe = "receiver, sender = context.Pipe(False)";
    let (put, get) = ("sender.send_bytes(message)", "receiver.recv_bytes()");
    sides.python("Python Pipe, bytes", &script(pipe, put, get));
    Ok(())
}

fn lock(sides: &mut Sides) -> Outcome {
    let lock = ::ipc::Lock::new()?;
    sides.ours("ipc::Lock", move || {
        for _ in 0..MANY {
            drop(lock.lock()?);
        }
        Ok(())
    });
    let lock = std::sync::Mutex::new(());
    sides.rival("std Mutex, between threads", move || {
        for _ in 0..MANY {
            drop(lock.lock().map_err(|_| "poisoned")?);
        }
        Ok(())
    });
    sides.python(
        "Python Lock",
        &format!(
            "
import multiprocessing
lock = multiprocessing.get_context('fork').Lock()
def run():
    for _ in range({MANY}):
        with lock:
            pass
"
        ),
    );
    Ok(())
}
