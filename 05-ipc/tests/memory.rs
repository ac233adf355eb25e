//! Promises of `SharedMemory`, `Ring`, and of what takes a descriptor for one of them.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use fork::Signal::SIGKILL;
use ipc::{Array, Condition, Event, Lock, Queue, Ring, Semaphore, SharedMemory, Value};
use judge::{Judge, check, scenario};

fn copy(fd: std::os::fd::BorrowedFd<'_>) -> OwnedFd {
    fd.try_clone_to_owned().expect("a free descriptor")
}

#[test]
fn shared_memory_can_not_be_made_shorter_and_its_bounds_are_checked() {
    let memory = SharedMemory::new(20).expect("memory");
    assert_eq!((memory.size(), memory.len()), (24, 3), "whole words");
    assert!(memory.get(3).is_none());
    let file = File::from(copy(memory.fd()));
    assert!(file.set_len(0).is_err(), "a read of what is gone would be a SIGBUS");
    assert!(file.set_len(1 << 20).is_err());
    let again = SharedMemory::from_fd(file.into()).expect("the same memory");
    again[2].store(7, Relaxed);
    assert_eq!(memory[2].load(Relaxed), 7);
    for size in [0, usize::MAX, isize::MAX as usize] {
        assert!(SharedMemory::new(size).is_err(), "{size}");
    }
    let zero: OwnedFd = File::open("/dev/zero").expect("it exists").into();
    assert_eq!(
        SharedMemory::from_fd(zero).expect_err("refused").raw_os_error(),
        Some(libc::EINVAL)
    );
    let unsealed = nix::sys::memfd::memfd_create(c"other", nix::sys::memfd::MFdFlags::empty());
    let unsealed = File::from(unsealed.expect("a file"));
    unsealed.set_len(1 << 20).expect("there is room");
    let unsealed = SharedMemory::from_fd(unsealed.into());
    assert_eq!(unsealed.expect_err("refused").raw_os_error(), Some(libc::EINVAL));
}

#[test]
fn a_descriptor_of_something_else_is_refused() {
    let memory = SharedMemory::new(1 << 20).expect("memory");
    let lock = Lock::new().expect("a lock");
    let event = Event::new().expect("an event");
    for fd in [memory.fd(), event.fd()] {
        assert!(Lock::from_fd(copy(fd)).is_err());
        assert!(Ring::from_fd(copy(fd)).is_err());
        assert!(Value::<u8>::from_fd(copy(fd)).is_err());
        assert!(Semaphore::from_fd(copy(fd)).is_err());
        assert!(Condition::from_fd(copy(fd)).is_err());
    }
    assert!(Event::from_fd(copy(lock.fd())).is_err());
    let array = Array::new(&[1_u32, 2, 3]).expect("an array");
    assert!(Array::<u64>::from_fd(copy(array.fd())).is_err(), "another size");
    assert!(Value::<u32>::from_fd(copy(array.fd())).is_err(), "another number");
    assert!(Lock::from_fd(copy(array.fd())).is_err(), "no lock alone");
    let again = Array::<u32>::from_fd(copy(array.fd())).expect("the same");
    again.lock().expect("open")[1] = 7;
    assert_eq!(*array.lock().expect("open"), [1, 7, 3]);
    let lies = SharedMemory::from_fd(copy(array.fd())).expect("it is memory");
    lies[1].store(1 << 40, Relaxed);
    assert!(Array::<u32>::from_fd(copy(array.fd())).is_err(), "more than there is");
    assert!(Array::<u8>::new(&[]).expect("an array of nothing").lock().expect("open").is_empty());
}

#[test]
fn a_ring_that_lies_about_its_size_is_refused_and_nothing_is_read_beyond_it() {
    let ring = Ring::new(10, 4096).expect("a ring");
    let words = SharedMemory::from_fd(copy(ring.fd())).expect("the same memory");
    assert!(ring.try_put(b"hello").expect("open"));
    // The second word: bytes for messages, and how many.
    let shape = words[1].load(Relaxed);
    for lie in [0, 3, 1 << 31, 8192, 5000] {
        words[1].store(shape & !0xffff_ffff | lie, Relaxed);
        assert!(Ring::from_fd(copy(ring.fd())).is_err(), "{lie} bytes");
    }
    words[1].store(shape, Relaxed);
    // Where the first message is: its length.
    let length = words.iter().position(|word| word.load(Relaxed) as u32 == 5).expect("its length");
    words[length].store(u64::MAX, Relaxed);
    let mut got = Vec::new();
    assert!(ring.try_get(&mut got), "a message of nonsense");
    assert!(got.len() <= ring.largest());
}

#[test]
fn a_ring_gives_back_what_was_put_in_order_and_says_when_it_is_full() {
    let ring = Ring::new(3, 64).expect("a ring");
    let mut got = Vec::new();
    assert!(!ring.try_get(&mut got));
    for round in 0_u8..100 {
        for number in 0..3 {
            assert!(ring.try_put(&vec![round; number]).expect("open"));
        }
        assert!(!ring.try_put(b"").expect("open"), "three are the most");
        assert_eq!(ring.len(), 3);
        for number in 0..3 {
            assert!(ring.try_get(&mut got));
            assert_eq!(got, vec![round; number]);
        }
        assert!(ring.is_empty());
    }
    assert_eq!(ring.try_put(&[0; 61]).expect_err("too large").raw_os_error(), Some(libc::EMSGSIZE));
    assert!(ring.try_put(&[0; 60]).expect("open"));
    assert!(!ring.try_put(&[0; 1]).expect("open"), "no room, though there are less than three");
}

scenario!(
    fn everything_is_left_by_a_crash() {
        let child = fork::fork(|| {
            let queue = Queue::<u64>::new(10).expect("a queue");
            queue.put(&7).expect("room");
            let all = (
                SharedMemory::new(100),
                Lock::new(),
                Semaphore::new(2),
                Event::new(),
                Condition::new(),
                Array::new(&[1, 2]),
                ipc::duplex::<u8, u8>(),
            );
            let _held = all.1.as_ref().map(|lock| lock.lock());
            nix::sys::signal::raise(SIGKILL).expect("it dies");
            0
        });
        let status = child.expect("a child").wait().expect("its status");
        check("killed", status.signal() == Some(9), "it was killed in the middle of it all");
    }
);

#[test]
fn nothing_is_left_behind_by_a_process_that_was_killed() {
    // That no name is new in /dev/shm, and no file in the temporary folder, is what the judge sees to.
    Judge::scenario(&everything_is_left_by_a_crash).declare(["killed"]).run().assert_clean();
}
