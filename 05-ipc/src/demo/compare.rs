use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use ipc::{Event, Queue, Value, Wait};

use super::{Outcome, Trouble, code};

/// Each way is measured for about so long.
const TIME: Duration = Duration::from_millis(50);
const SIZES: [usize; 3] = [8, 4 << 10, 1 << 20];

/// Sends a message once, from one process to another.
type Send<'a> = dyn FnMut(&[u8]) -> Outcome + 'a;

pub(crate) fn run() -> Outcome {
    println!("One message after the other from one process to another. Messages a second, of");
    println!("{:26} {:>12} {:>12} {:>12}", "", "8 bytes", "4 KiB", "1 MiB");
    for (name, measure) in WAYS {
        let mut rates = Vec::new();
        for size in SIZES {
            rates.push(match measure(size)? {
                Some(time) => thousands(1.0 / time.as_secs_f64()),
                None => "-".to_owned(),
            });
        }
        println!("{name:26} {:>12} {:>12} {:>12}", rates[0], rates[1], rates[2]);
    }
    println!("\nWhat is between two messages decides: here nothing is. See the lesson's text.");
    Ok(())
}

/// Time for one message of that size; `None` where there is no such way.
type Measure = fn(usize) -> Result<Option<Duration>, Trouble>;

const WAYS: &[(&str, Measure)] = &[
    ("ipc::Queue, bytes", queue_bytes),
    ("ipc::Queue, values", queue_values),
    ("ipc::pipe, bytes", connection),
    ("a bare pipe", bare_pipe),
    ("a Unix socket", unix_socket),
    ("memory and two events", events),
    ("ipc-channel, values", ipc_channel),
    ("signals, answered", signals),
];

/// Calls `send` for a while; the time for one.
fn timed(size: usize, send: &mut Send<'_>) -> Result<Option<Duration>, Trouble> {
    let message = vec![b'x'; size];
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        for _ in 0..if size > 1 << 16 { 1 } else { 64 } {
            send(&message)?;
            count += 1;
        }
    }
    Ok(Some(start.elapsed() / count))
}

fn queue_bytes(size: usize) -> Result<Option<Duration>, Trouble> {
    let (putter, getter) = Queue::<()>::with_room(1000, 4 << 20)?.split()?;
    let child = ipc::fork_with(getter, |getter| {
        let mut message = Vec::new();
        while getter.get_bytes(&mut message).is_ok() {}
        0
    })?;
    let time = timed(size, &mut |message| Ok(putter.put_bytes(message)?));
    drop(putter);
    child.wait()?;
    time
}

fn queue_values(size: usize) -> Result<Option<Duration>, Trouble> {
    let (putter, getter) = Queue::<Vec<u8>>::with_room(1000, 4 << 20)?.split()?;
    let child = ipc::fork_with(getter, |getter| i32::from(!getter.iter().all(|it| it.is_ok())))?;
    let value = vec![b'x'; size];
    let time = timed(size, &mut |_| Ok(putter.put(&value)?));
    drop(putter);
    child.wait()?;
    time
}

fn connection(size: usize) -> Result<Option<Duration>, Trouble> {
    let (sender, receiver) = ipc::pipe::<()>()?;
    let child = ipc::fork_with(receiver, |receiver| {
        let mut message = Vec::new();
        while receiver.recv_bytes(&mut message).is_ok() {}
        0
    })?;
    let time = timed(size, &mut |message| Ok(sender.send_bytes(message)?));
    drop(sender);
    child.wait()?;
    time
}

fn bare_pipe(size: usize) -> Result<Option<Duration>, Trouble> {
    let (reader, mut writer) = io::pipe()?;
    stream(size, reader, &mut writer)
}

fn unix_socket(size: usize) -> Result<Option<Duration>, Trouble> {
    let (reader, mut writer) = UnixStream::pair()?;
    stream(size, reader, &mut writer)
}

/// A length, and so many bytes.
fn stream(
    size: usize,
    mut reader: impl Read,
    writer: &mut impl Write,
) -> Result<Option<Duration>, Trouble> {
    let child = fork::fork(move || {
        let (mut length, mut message) = ([0; 8], Vec::new());
        while reader.read_exact(&mut length).is_ok() {
            message.resize(usize::from_ne_bytes(length), 0);
            if message.is_empty() || reader.read_exact(&mut message).is_err() {
                break;
            }
        }
        0
    })?;
    let time = timed(size, &mut |message| {
        writer.write_all(&message.len().to_ne_bytes())?;
        Ok(writer.write_all(message)?)
    });
    writer.write_all(&0_usize.to_ne_bytes())?;
    child.wait()?;
    time
}

fn events(size: usize) -> Result<Option<Duration>, Trouble> {
    const MOST: usize = 4096;
    if size > MOST {
        return Ok(None);
    }
    let (there, taken, place) = (Event::new()?, Event::new()?, Value::new([0_u8; MOST])?);
    let child = fork::fork(|| {
        code((|| loop {
            there.wait();
            there.clear();
            let first = place.update(|place| place[0])?;
            taken.set();
            if first == 0 {
                return Ok(());
            }
        })())
    })?;
    let mut send = |message: &[u8]| -> Outcome {
        place.update(|place| place[..message.len()].copy_from_slice(message))?;
        there.set();
        taken.wait_within(Wait::forever().while_alive(child.sentinel()?))?;
        taken.clear();
        Ok(())
    };
    let time = timed(size, &mut send);
    send(&[0])?;
    child.wait()?;
    time
}

fn signals(size: usize) -> Result<Option<Duration>, Trouble> {
    use nix::sys::signal::{SigSet, Signal, kill};
    use nix::unistd::{Pid, getppid};

    if size > SIZES[0] {
        return Ok(None);
    }
    let wanted = [Signal::SIGUSR1, Signal::SIGUSR2].into_iter().collect::<SigSet>();
    wanted.thread_block()?;
    let child = fork::fork(|| {
        code((|| loop {
            if wanted.wait()? == Signal::SIGUSR2 {
                return Ok(());
            }
            kill(getppid(), Signal::SIGUSR1)?;
        })())
    })?;
    // A signal carries nothing, and two at once are one: each is answered before the next.
    let pid = Pid::from_raw(child.pid());
    let time = timed(size, &mut |_| {
        kill(pid, Signal::SIGUSR1)?;
        wanted.wait()?;
        Ok(())
    });
    child.signal(Signal::SIGUSR2)?;
    child.wait()?;
    wanted.thread_unblock()?;
    time
}

fn ipc_channel(size: usize) -> Result<Option<Duration>, Trouble> {
    let (sender, receiver) = ::ipc_channel::ipc::channel::<Vec<u8>>()?;
    let child = fork::fork(move || {
        while receiver.recv().is_ok_and(|message| !message.is_empty()) {}
        0
    })?;
    let value = vec![b'x'; size];
    let time = timed(size, &mut |_| Ok(sender.send(value.clone())?));
    sender.send(Vec::new())?;
    child.wait()?;
    time
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
