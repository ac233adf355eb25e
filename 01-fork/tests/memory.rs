//! Promises of `Memory`, `SharedWords` and `Entry`: what is copied, shared, and found again.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::{env, io};

use fork::{Entry, Memory, PrivateFd, SharedWords, Task, fork, fork_handing};
use judge::{Judge, check, scenario};

const MIB: u64 = 1 << 20;

scenario!(
    fn writes_to_half_of_it() {
        let mut memory = vec![1_u8; 16 << 20];
        let [mine, its] = PrivateFd::open(|| UnixStream::pair().map(|(a, b)| [a.into(), b.into()]))
            .expect("a pair");
        let child = fork_handing(vec![its], |fds| {
            let mut talk = File::from(fds.into_iter().next().expect("one was handed over"));
            // A byte when a step is done, a byte when it was measured.
            let mut done = || talk.write_all(b".").and_then(|()| talk.read_exact(&mut [0]));
            let read: u64 = memory.iter().map(|&byte| u64::from(byte)).sum();
            assert!(read == 16 * MIB && done().is_ok());
            memory[..8 << 20].fill(2);
            i32::from(done().is_err())
        });
        let child = child.expect("a child");
        let mut talk = File::from(mine.into_inherited().expect("ours"));
        let mut measure = || {
            talk.read_exact(&mut [0]).expect("the child is there");
            let memory = Memory::of(child.pid()).expect("it runs");
            talk.write_all(b".").expect("the child is there");
            memory
        };
        let (before, after) = (measure(), measure());
        println!("{before:?}\n{after:?}");
        check(
            "before",
            before.private_dirty < MIB && before.shared > 16 * MIB,
            "read, it is shared",
        );
        let grown = after.private_dirty - before.private_dirty;
        check("after", (8 * MIB..9 * MIB).contains(&grown), "what it wrote to is its own");
        let less = before.shared - after.shared;
        check("shared", (7 * MIB..9 * MIB).contains(&less), "and not shared any more");
        let mine = Memory::of(std::process::id().cast_signed()).expect("it runs").resident;
        check("parent", mine > 16 * MIB, "the parent has what it had");
        check("ended", child.wait().expect("its status").success(), "the child ended well");
        check("error", Memory::of(child.pid()).is_err(), "of one that is gone nothing is told");
    }
);

#[test]
fn a_page_is_the_childs_own_from_its_first_write_to_it() {
    let checks = ["before", "after", "shared", "parent", "ended", "error"];
    Judge::scenario(&writes_to_half_of_it).declare(checks).run().assert_clean();
}

scenario!(
    fn shares_words() {
        let words = SharedWords::new(1000).expect("memory");
        check("zero", words.iter().all(|word| word.load(Relaxed) == 0), "all are zero at first");
        let child = fork(|| {
            words.iter().zip(1..).for_each(|(word, value)| word.store(value, Relaxed));
            0
        });
        child.expect("a child").wait().expect("its status");
        let seen = words.iter().zip(1..).all(|(word, value)| word.load(Relaxed) == value);
        check("seen", seen, "what the child stored is seen by its parent");
    }
);

#[test]
fn a_word_that_a_child_stores_is_seen_by_its_parent() {
    Judge::scenario(&shares_words).declare(["zero", "seen"]).run().assert_clean();
}

#[test]
fn shared_words_keep_their_length() {
    let words = SharedWords::new(4).expect("memory");
    let file = File::from(words.fd().try_clone_to_owned().expect("a descriptor"));
    assert!(file.set_len(0).is_err(), "a read of what is gone would be a SIGBUS");
    assert!(file.set_len(1 << 20).is_err());
    let again = SharedWords::from_fd(file.into()).expect("the same words");
    assert_eq!(again.len(), 4);
    again[3].store(9, Relaxed);
    assert_eq!(words[3].load(Relaxed), 9);
}

#[test]
fn what_are_no_shared_words_is_refused() {
    let error = |result: io::Result<SharedWords>| result.expect_err("refused").raw_os_error();
    assert_eq!(error(SharedWords::new(0)), Some(libc::EINVAL));
    assert_eq!(error(SharedWords::new(usize::MAX)), Some(libc::EINVAL));
    let other: OwnedFd = File::open("/dev/zero").expect("it exists").into();
    assert_eq!(error(SharedWords::from_fd(other)), Some(libc::EINVAL));
}

#[derive(Clone, Copy)]
struct Reverse;

impl Task for Reverse {
    fn run(self, input: &[u8], output: &mut Vec<u8>) {
        output.extend(input.iter().rev());
    }
}

#[derive(Clone, Copy)]
struct Double;

impl Task for Double {
    fn run(self, input: &[u8], output: &mut Vec<u8>) {
        output.extend(input.iter().chain(input));
    }
}

/// Not a test: what `run_afresh` starts, with the words for its stdin and an entry in a variable.
#[test]
#[ignore = "a part of other tests, which start it in a process of its own"]
fn afresh() {
    let words = io::stdin().as_fd().try_clone_to_owned().and_then(SharedWords::from_fd);
    let words = words.expect("the words are its stdin");
    words[0].store(words.len() as u64, Relaxed);
    let bytes: Vec<u8> = env::var("ENTRY")
        .expect("an entry")
        .split(' ')
        .map(|byte| byte.parse().expect("a number"))
        .collect();
    if let Some(entry) = Entry::from_bytes(bytes.try_into().expect("16 bytes")) {
        let mut output = Vec::new();
        entry.run(b"abc", &mut output);
        words[1].store(output.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)), Relaxed);
    }
}

/// What `afresh` leaves in the words, run by a program that was executed, not forked.
fn run_afresh(program: &str, entry: Entry) -> [u64; 2] {
    let words = SharedWords::new(7).expect("memory");
    let bytes = entry.to_bytes().map(|byte| byte.to_string()).join(" ");
    let output = Command::new(program)
        .args(["--ignored", "--exact", "afresh"])
        .env("ENTRY", bytes)
        .stdin(Stdio::from(words.fd().try_clone_to_owned().expect("a descriptor")))
        .output()
        .expect("a program");
    assert!(output.status.success(), "{output:?}");
    [words[0].load(Relaxed), words[1].load(Relaxed)]
}

#[test]
fn words_and_entries_are_found_again_by_a_program_that_was_started_afresh() {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    assert_eq!(run_afresh("/proc/self/exe", Entry::of(Reverse)), [7, number(b"cba")]);
    assert_eq!(run_afresh("/proc/self/exe", Entry::of(Double)), [7, number(b"abcabc")]);
}

#[test]
fn an_entry_of_another_file_is_refused() {
    // Even of a copy: only the file that runs here is known to have the same code.
    let copy = env::temp_dir().join(format!("fork-copy-{}", std::process::id()));
    // By another program: what this one has open for writing, a child that some other test starts
    // may hold at the wrong moment, and then it can't be executed.
    let this = env::current_exe().expect("a path");
    let copied = Command::new("cp").arg(this).arg(&copy).status().expect("a program");
    assert!(copied.success());
    let result = run_afresh(copy.to_str().expect("a name in UTF-8"), Entry::of(Reverse));
    fs::remove_file(&copy).expect("it is ours");
    assert_eq!(result, [7, 0], "the words are found, the entry is not");
}

#[test]
fn damaged_bytes_are_no_entry() {
    let bytes = Entry::of(Reverse).to_bytes();
    assert_eq!(Entry::from_bytes(bytes), Some(Entry::of(Reverse)));
    assert_ne!(Entry::of(Reverse), Entry::of(Double));
    for bit in 0..128 {
        let mut damaged = bytes;
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Entry::from_bytes(damaged), None, "bit {bit}");
    }
}

#[test]
fn advice_on_huge_pages_changes_nothing_in_a_buffer_of_any_size() {
    for size in [0, 1, 4095, 4096, 5000, 5 << 20] {
        let mut buffer = Vec::with_capacity(2 * size);
        buffer.extend((0..size).map(|index| (index % 251) as u8));
        fork::prefer_huge_pages(&mut buffer);
        buffer.extend((0..size).map(|index| (index % 241) as u8));
        // Grown, it is one mapping as before, and moves as one.
        buffer.reserve(3 * size);
        let right = |(index, byte): (usize, &u8)| match index.checked_sub(size) {
            None => *byte == (index % 251) as u8,
            Some(index) => *byte == (index % 241) as u8,
        };
        assert!(buffer.len() == 2 * size && buffer.iter().enumerate().all(right), "{size}");
    }
}
