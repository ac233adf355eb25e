//! Processes are killed and stopped at random moments, mid-write included: the others go on, are told,
//! and see nothing torn.
//!
//! `COURSE_STRESS_SECONDS` says for how long (1), `COURSE_SEED` with which kills.

use std::env;
use std::time::{Duration, Instant};

use fork::Child;
use fork::Signal::{SIGCONT, SIGKILL, SIGSTOP};
use ipc::{
    Event, Getter, Putter, Queue, Receiver, RecvError, Semaphore, Sender, SharedMemory, Value,
    fork_with,
};
use judge::{Judge, check, scenario};
use std::sync::atomic::Ordering::SeqCst;

fn seconds() -> u64 {
    env::var("COURSE_STRESS_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(1)
}

/// Marsaglia's xorshift: a few lines, and the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |it| it.as_micros() as u64);
        let seed = env::var("COURSE_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(now);
        println!("COURSE_SEED={seed}");
        Random(seed | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Lets the others run for a random while.
    fn pause(&mut self, most: Duration) {
        let until = Instant::now() + Duration::from_nanos(self.below(most.as_nanos() as u64));
        while Instant::now() < until {
            std::thread::yield_now();
        }
    }
}

/// Words in which all processes of a scenario keep count.
struct Counts(SharedMemory);

const STOP: usize = 0;
const TORN: usize = 1;
const TWICE: usize = 2;
const DISORDER: usize = 3;
const PUT: usize = 4;
const GOT: usize = 5;
/// From here on a bit for each message, by who put it and its number.
const SEEN: usize = 16;
/// Putters in the life of a queue, and messages of each, at most.
const PUTTERS: usize = 256;
const MESSAGES: usize = 1 << 14;

impl Counts {
    fn new() -> Counts {
        Counts(SharedMemory::new((SEEN + PUTTERS * MESSAGES / 64) * 8).expect("memory"))
    }

    fn add(&self, what: usize) {
        self.0[what].fetch_add(1, SeqCst);
    }

    fn get(&self, what: usize) -> u64 {
        self.0[what].load(SeqCst)
    }
}

/// A message: who, which number, and bytes that follow from both.
fn message(who: usize, number: usize, into: &mut Vec<u8>) {
    let size =
        8 + (who * 7919 + number * 104_729) % if number.is_multiple_of(8) { 60_000 } else { 100 };
    into.clear();
    into.extend([who as u32, number as u32].map(u32::to_ne_bytes).as_flattened());
    into.resize(size, (who * 31 + number) as u8);
}

fn read(bytes: &[u8], expected: &mut Vec<u8>) -> Option<(usize, usize)> {
    let word = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    let (who, number) = (word(0)?, word(4)?);
    if who >= PUTTERS || number >= MESSAGES {
        return None;
    }
    message(who, number, expected);
    (bytes == expected).then_some((who, number))
}

fn puts(who: usize, putter: &Putter<()>, counts: &Counts) -> i32 {
    let mut bytes = Vec::new();
    for number in 0..MESSAGES {
        if counts.get(STOP) == 1 {
            return 0;
        }
        message(who, number, &mut bytes);
        if putter.put_bytes(&bytes).is_err() {
            return 1;
        }
        counts.add(PUT);
    }
    0
}

fn gets(getter: &Getter<()>, counts: &Counts) -> i32 {
    let (mut bytes, mut expected, mut last) = (Vec::new(), Vec::new(), vec![None; PUTTERS]);
    loop {
        match getter.get_bytes(&mut bytes) {
            Ok(()) => {}
            Err(RecvError::Closed) => return 0,
            Err(_) => return 1,
        }
        counts.add(GOT);
        let Some((who, number)) = read(&bytes, &mut expected) else {
            counts.add(TORN);
            continue;
        };
        let bit = who * MESSAGES + number;
        if counts.0[SEEN + bit / 64].fetch_or(1 << (bit % 64), SeqCst) >> (bit % 64) & 1 == 1 {
            counts.add(TWICE);
        }
        if last[who] >= Some(number) {
            counts.add(DISORDER);
        }
        last[who] = Some(number);
    }
}

/// Stops or kills it; whether it was killed.
fn hurt(child: &Child, random: &mut Random) -> bool {
    if random.below(4) == 0 {
        child.signal(SIGSTOP).expect("ours");
        random.pause(Duration::from_millis(5));
        child.signal(SIGCONT).expect("ours");
        return false;
    }
    child.signal(SIGKILL).expect("ours");
    child.wait().expect("its status");
    true
}

scenario!(
    fn kills_those_who_put_and_get() {
        let mut random = Random::new();
        let end = Instant::now() + Duration::from_secs(seconds());
        let (mut killed, mut crashes, mut queues, mut passed) = ([0_u64; 2], 0, 0, 0);
        let mut right = [true; 5];
        while Instant::now() < end {
            let counts = Counts::new();
            let (putter, getter) =
                Queue::<()>::with_room(64, 256 << 10).expect("a queue").split().expect("ends");
            let mut next = 0;
            let mut put = || {
                let who = next;
                next += 1;
                fork_with(putter.clone(), |putter| puts(who, &putter, &counts)).expect("a child")
            };
            let get =
                || fork_with(getter.clone(), |getter| gets(&getter, &counts)).expect("a child");
            let mut putters: Vec<_> = (0..3).map(|_| put()).collect();
            let mut getters: Vec<_> = (0..3).map(|_| get()).collect();
            let mut dead = [0, 0];
            for _ in 0..60 {
                random.pause(Duration::from_millis(2));
                let index = random.below(3) as usize;
                if random.below(2) == 0 {
                    if hurt(&putters[index], &mut random) {
                        dead[0] += 1;
                        putters[index] = put();
                    }
                } else if hurt(&getters[index], &mut random) {
                    dead[1] += 1;
                    getters[index] = get();
                }
            }
            counts.0[STOP].store(1, SeqCst);
            right[4] &= putters.iter().all(|it| it.wait().expect("its status").success());
            drop(putter);
            right[4] &= getters.iter().all(|it| it.wait().expect("its status").success());
            let (put, got) = (counts.get(PUT), counts.get(GOT));
            right[0] &= counts.get(TORN) == 0;
            right[1] &= counts.get(TWICE) == 0 && counts.get(DISORDER) == 0;
            // A killed putter may have put one and not counted it, a killed getter have got one and not.
            right[2] &= got <= put + dead[0] && got + dead[1] >= put;
            right[3] &= getter.ring().is_empty();
            crashes += u64::from(getter.ring().crashes());
            queues += 1;
            passed += got;
            (killed[0], killed[1]) = (killed[0] + dead[0], killed[1] + dead[1]);
        }
        println!(
            "{queues} queues, {passed} messages, killed: {} who put, {} who got, {crashes} of them in \
             the middle of it",
            killed[0], killed[1]
        );
        check("torn", right[0], "no message was torn");
        check("once", right[1], "none came twice or before an earlier one");
        check("lost", right[2], "only what the killed had in their hands is lost");
        check("empty", right[3], "all else was got");
        check("others", right[4], "and all others went on to the end, which they were told");
    }
);

#[test]
fn those_who_put_and_get_are_killed_and_the_others_go_on() {
    let report = Judge::scenario(&kills_those_who_put_and_get)
        .deadline(Duration::from_secs(40 + 2 * seconds()))
        .declare(["torn", "once", "lost", "empty", "others"])
        .run();
    println!("{}", report.stdout());
    report.assert_clean();
}

/// Takes the lock again and again; what it guards is 0 unless somebody is in the middle of it.
fn owns(value: &Value<u64>, counts: &Counts) -> i32 {
    while counts.get(STOP) == 0 {
        let Ok(mut guard) = value.lock() else { return 1 };
        match (*guard != 0, guard.former_owner_died()) {
            (true, false) => counts.add(TORN),
            (_, true) => counts.add(GOT),
            _ => counts.add(PUT),
        }
        let me = u64::from(std::process::id());
        *guard = me;
        (0..me % 50 + 50).for_each(|_| std::hint::spin_loop());
        if std::mem::take(&mut *guard) != me {
            counts.add(TWICE);
        }
    }
    0
}

fn holds(semaphore: &Semaphore, counts: &Counts) -> i32 {
    while counts.get(STOP) == 0 {
        let Ok(permit) = semaphore.acquire() else { return 1 };
        counts.add(if permit.former_holder_died() { GOT } else { PUT });
    }
    0
}

/// Kills processes that do `work`; how many there were, and whether the rest ended well.
fn kill_some(counts: &Counts, random: &mut Random, work: impl Fn() -> i32) -> (u64, bool) {
    let start = || fork::fork(&work).expect("a child");
    let mut children: Vec<_> = (0..4).map(|_| start()).collect();
    let (end, mut killed) = (Instant::now() + Duration::from_millis(500 * seconds()), 0);
    while Instant::now() < end {
        random.pause(Duration::from_millis(2));
        let index = random.below(4) as usize;
        if hurt(&children[index], random) {
            killed += 1;
            children[index] = start();
        }
    }
    counts.0[STOP].store(1, SeqCst);
    (killed, children.iter().all(|it| it.wait().expect("its status").success()))
}

scenario!(
    fn kills_owners() {
        let (mut random, counts) = (Random::new(), Counts::new());
        let value = Value::new(0_u64).expect("a value");
        let (killed, rest) = kill_some(&counts, &mut random, || owns(&value, &counts));
        let told = counts.get(GOT);
        println!("{} times locked, {killed} killed, {told} times told", counts.get(PUT));
        check("told", counts.get(TORN) == 0, "whoever finds a change half done was told");
        check("alone", counts.get(TWICE) == 0, "nobody else had the lock");
        check(
            "lock",
            rest && told <= killed,
            "the others went on, and were told of no other deaths",
        );

        let counts = Counts::new();
        let semaphore = Semaphore::new(2).expect("a semaphore");
        let (killed, rest) = kill_some(&counts, &mut random, || holds(&semaphore, &counts));
        let told = counts.get(GOT);
        println!("{} times acquired, {killed} killed, {told} times told", counts.get(PUT));
        check("semaphore", rest && told <= killed, "the others went on");
        let both = [semaphore.try_acquire(), semaphore.try_acquire(), semaphore.try_acquire()];
        check("permits", both.map(|it| it.is_ok()) == [true, true, false], "no permit is lost");
    }
);

#[test]
fn owners_of_locks_and_permits_are_killed_and_the_others_go_on() {
    let report = Judge::scenario(&kills_owners)
        .deadline(Duration::from_secs(40 + 2 * seconds()))
        .declare(["told", "alone", "lock", "semaphore", "permits"])
        .run();
    println!("{}", report.stdout());
    report.assert_clean();
}

scenario!(
    fn kills_senders() {
        let mut random = Random::new();
        let (end, mut killed, mut received) =
            (Instant::now() + Duration::from_secs(seconds()) / 2, 0, 0);
        let mut whole = true;
        while Instant::now() < end {
            let (sender, receiver): (Sender<()>, Receiver<()>) = ipc::pipe().expect("a pipe");
            let begun = Event::new().expect("an event");
            let child =
                fork_with((sender, begun.clone()), |(sender, begun): (Sender<()>, Event)| {
                    let mut bytes = Vec::new();
                    for number in 0.. {
                        message(1, number % MESSAGES, &mut bytes);
                        // Half of them are larger than a packet.
                        bytes.resize(
                            bytes.len() * (1 + number % 2 * 3),
                            (31 + number % MESSAGES) as u8,
                        );
                        if sender.send_bytes(&bytes).is_err() {
                            break;
                        }
                        begun.set();
                    }
                    0
                })
                .expect("a child");
            begun.wait();
            let (mut bytes, mut expected, mut next) = (Vec::new(), Vec::new(), 0);
            let mut left = 5 + random.below(20);
            while receiver.recv_bytes(&mut bytes).is_ok() {
                message(1, next % MESSAGES, &mut expected);
                expected.resize(expected.len() * (1 + next % 2 * 3), (31 + next % MESSAGES) as u8);
                whole &= bytes == expected;
                next += 1;
                received += 1;
                left = left.saturating_sub(1);
                if left == 0 {
                    random.pause(Duration::from_micros(200));
                    child.signal(SIGKILL).expect("ours");
                }
            }
            child.wait().expect("its status");
            killed += 1;
        }
        println!("{killed} senders killed, {received} messages received");
        check(
            "whole",
            whole && killed > 0,
            "all that came was whole and in order, and then the end",
        );
    }
);

#[test]
fn senders_are_killed_and_no_message_is_torn() {
    let report = Judge::scenario(&kills_senders)
        .deadline(Duration::from_secs(40 + 2 * seconds()))
        .declare(["whole"])
        .run();
    println!("{}", report.stdout());
    report.assert_clean();
}
