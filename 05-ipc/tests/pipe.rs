//! Promises of `pipe`, `duplex` and `wait`.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use fork::Signal::SIGKILL;
use ipc::{Connection, Receiver, RecvError, SendError, Sender, Wait, duplex, fork_with, pipe};
use judge::{Judge, Limit, check, scenario};

const LONG: Duration = Duration::from_secs(10);

fn ends_well(child: &fork::Child) -> bool {
    child.wait().expect("its status").success()
}

/// Sends everything back, until the end.
fn echo(end: &Connection<()>) -> i32 {
    let mut message = Vec::new();
    loop {
        match end.recv_bytes(&mut message) {
            Ok(()) => end.send_bytes(&message).expect("the other one receives"),
            Err(RecvError::Closed) => return 0,
            Err(_) => return 1,
        }
    }
}

scenario!(
    fn echoes() {
        let (here, there) = duplex::<(), ()>().expect("a pipe");
        let child = fork_with(there, |there| echo(&there)).expect("a child");
        let mut back = Vec::new();
        let mut same = |message: &[u8]| {
            here.send_bytes(message).expect("sent");
            here.recv_bytes(&mut back).expect("received");
            back == message
        };
        let large: Vec<u8> = (0..16 << 20).map(|number: u32| (number % 251) as u8).collect();
        check("16 MiB", same(&large), "16 MiB come back as they were");
        let sizes = [1, 65_535, 65_536, 65_537, 1 << 20, 100, 1 << 20];
        check("sizes", sizes.iter().all(|&size| same(&large[..size])), "and any other number");
        check("empty", same(&[]), "and no bytes at all");
        drop(here);
        check("end", ends_well(&child), "the end is told");
    }
);

#[test]
fn sixteen_mebibytes_go_there_and_back() {
    Judge::scenario(&echoes).declare(["16 MiB", "sizes", "empty", "end"]).run().assert_clean();
}

#[test]
fn messages_of_no_bytes_are_messages_and_none_are_merged() {
    let (sender, receiver) = pipe::<()>().expect("a pipe");
    for message in [&b""[..], b"a", b"", b"bc", b""] {
        sender.send_bytes(message).expect("sent");
    }
    drop(sender);
    let mut got = Vec::new();
    for message in [&b""[..], b"a", b"", b"bc", b""] {
        receiver.recv_bytes(&mut got).expect("a message");
        assert_eq!(got, message);
    }
    assert!(matches!(receiver.recv_bytes(&mut got), Err(RecvError::Closed)), "and then the end");
}

scenario!(
    fn poll_while_a_message_is_sent() {
        let (sender, receiver) = pipe::<()>().expect("a pipe");
        check("nothing", !receiver.poll(Duration::ZERO).expect("ours"), "nothing was sent");
        let child = fork_with(sender, |sender: Sender<()>| {
            (0..50).for_each(|_| sender.send_bytes(&vec![7; 1 << 20]).expect("somebody receives"));
            0
        });
        let (mut whole, mut message) = (0, Vec::new());
        while receiver.poll(Wait::forever()).expect("ours") {
            // Once poll says so, this must not wait.
            match receiver.recv_bytes_within(&mut message, Duration::ZERO) {
                Ok(()) => whole += usize::from(message.len() == 1 << 20),
                Err(RecvError::Closed) => break,
                Err(error) => panic!("{error}"),
            }
        }
        check("whole", whole == 50, "each time that poll said so, a whole message was there");
        check("child", ends_well(&child.expect("a child")), "all were sent");
    }
);

#[test]
fn poll_never_reports_a_part_of_a_message() {
    Judge::scenario(&poll_while_a_message_is_sent)
        .declare(["nothing", "whole", "child"])
        .run()
        .assert_clean();
}

scenario!(
    fn two_writers_one_end() {
        let (sender, receiver) = pipe::<()>().expect("a pipe");
        let twice = sender.fd().and_then(|fd| fd.try_clone_to_owned()).expect("a descriptor");
        let second = ipc::Handover::from_fds(&mut [twice].into_iter()).expect("the same pipe");
        let writer = |who: u8| {
            move |sender: Sender<()>| {
                for size in (0..200).map(|it| 1 + it * 977 % 150_000) {
                    sender.send_bytes(&vec![who; size]).expect("somebody receives");
                }
                0
            }
        };
        let first = fork_with(sender, writer(1)).expect("a child");
        let second = fork_with(second, writer(2)).expect("a child");
        let (mut counts, mut bytes) = ([0, 0, 0], Vec::new());
        let pure = loop {
            match receiver.recv_bytes(&mut bytes) {
                Ok(()) if bytes == vec![bytes[0]; bytes.len()] => {
                    counts[usize::from(bytes[0])] += 1;
                }
                Ok(()) => break false,
                Err(error) => break matches!(error, RecvError::Closed),
            }
        };
        check("pure", pure, "no message has bytes of two");
        check("all", counts == [0, 200, 200], "and the end comes after the last one of both");
        check("children", ends_well(&first) && ends_well(&second), "");
    }
);

#[test]
fn several_processes_write_to_one_end_and_no_message_is_torn() {
    Judge::scenario(&two_writers_one_end).declare(["pure", "all", "children"]).run().assert_clean();
}

#[test]
fn the_end_is_told_to_both_directions() {
    let (here, there) = duplex::<u8, u16>().expect("a pipe");
    assert!(!here.is_closed().expect("ours"));
    there.send(&9).expect("sent");
    here.send(&1).expect("sent, and never read");
    drop(there);
    assert!(here.is_closed().expect("ours"));
    assert_eq!(here.recv().ok(), Some(9), "what was sent before the end is received");
    assert!(matches!(here.recv(), Err(RecvError::Closed)));
    assert!(matches!(here.recv(), Err(RecvError::Closed)), "asked again, it says the same");
    assert!(matches!(here.send(&1), Err(SendError::Closed)));
    assert!(here.poll(Duration::ZERO).expect("ours"), "the end would not wait, either");
}

#[test]
fn a_send_and_a_receive_with_a_limit_end_on_time() {
    let (sender, receiver) = pipe::<u64>().expect("a pipe");
    let (start, soon) = (Instant::now(), Duration::from_millis(20));
    assert!(matches!(receiver.recv_within(soon), Err(RecvError::Empty)));
    assert!(start.elapsed() >= soon);
    let full = (0..100_000).find_map(|_| sender.send_within(&7, soon).err()).expect("it is full");
    assert!(matches!(full, SendError::Full), "{full}");
    assert!(start.elapsed() < LONG);
    assert_eq!(receiver.recv_within(soon).ok(), Some(7));
    sender.send_within(&8, soon).expect("there is room again");
}

#[test]
fn a_slow_receiver_holds_up_a_sender_of_large_messages() {
    let (sender, _receiver) = pipe::<()>().expect("a pipe");
    let large = vec![7; 1 << 20];
    let sent = (0..100).take_while(|_| sender.send_bytes_within(&large, Duration::ZERO).is_ok());
    assert!((1..10).contains(&sent.count()), "memory is bounded");
}

scenario!(
    fn sends_files() {
        let (here, there) = duplex::<String, usize>().expect("a pipe");
        let child = fork_with(there, |there: Connection<usize, String>| {
            let (word, files) = there.recv_with_fds().expect("a message");
            let count = files.len();
            for file in files {
                let flags = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_GETFD);
                assert_eq!(flags, Ok(libc::FD_CLOEXEC));
                File::from(file).write_all(word.as_bytes()).expect("an open file");
            }
            i32::from(there.send(&count).is_err())
        })
        .expect("a child");
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        // Large, so that the message has a descriptor of its own, too.
        let word = "hello".repeat(20_000);
        let reading = std::thread::spawn(move || {
            let mut all = String::new();
            reader.read_to_string(&mut all).map(|_| all.len())
        });
        here.send_with_fds(&word, &[writer.as_fd(), writer.as_fd()]).expect("sent");
        drop(writer);
        check("count", here.recv().ok() == Some(2), "as many as were sent");
        let read = reading.join().expect("no panic").expect("read");
        check("same", read == 2 * word.len(), "they lead to the same open file");
        check("child", ends_well(&child), "");
        // Not asked for, they are closed, and don't pile up.
        let (sender, receiver) = pipe::<u8>().expect("a pipe");
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        sender.send_with_fds(&1, &[writer.as_fd()]).expect("sent");
        drop(writer);
        receiver.recv().expect("a message");
        let end = reader.read(&mut [0]).expect("a pipe");
        check("closed", end == 0, "who does not ask for descriptors keeps none");
    }
);

#[test]
fn descriptors_are_sent_with_a_message() {
    Judge::scenario(&sends_files)
        .declare(["count", "same", "child", "closed"])
        .run()
        .assert_clean();
}

scenario!(
    fn has_no_room_for_files() {
        let (sender, receiver) = pipe::<u8>().expect("a pipe");
        let many = vec![sender.fd().expect("ours"); 60];
        sender.send_with_fds(&1, &many).expect("sent");
        sender.send(&2).expect("sent");
        check(
            "told",
            matches!(receiver.recv_with_fds(), Err(RecvError::NoDescriptors)),
            "it is told",
        );
        check("next", receiver.recv().ok() == Some(2), "and the next message comes");
        let most = vec![sender.fd().expect("ours"); 253];
        let refused = sender.send_with_fds(&1, &most);
        let right = matches!(refused, Err(SendError::TooManyDescriptors { count: 253, most: 252 }));
        check("most", right, "more than the kernel takes are refused");
    }
);

#[test]
fn descriptors_for_which_there_is_no_room_are_an_error_and_no_leak() {
    Judge::scenario(&has_no_room_for_files)
        .limit(Limit::OpenFiles(40))
        .declare(["told", "next", "most"])
        .run()
        .assert_clean();
}

scenario!(
    fn waits_for_many() {
        let (first, second) = (pipe::<u8>().expect("a pipe"), pipe::<u8>().expect("a pipe"));
        let child = fork::fork(|| {
            nix::unistd::pause();
            0
        })
        .expect("a child");
        let things = || {
            [
                first.1.fd().expect("ours"),
                second.1.fd().expect("ours"),
                child.sentinel().expect("ours"),
            ]
        };
        let start = Instant::now();
        let none = ipc::wait(&things(), Duration::from_millis(20)).expect("waited");
        let took = start.elapsed();
        check("none", none.is_empty(), "nothing is ready");
        let on_time = (Duration::from_millis(20)..LONG).contains(&took);
        check("time", on_time, "the wait is as long as asked");
        second.0.send(&1).expect("sent");
        let one = ipc::wait(&things(), LONG).expect("waited");
        check("one", one == [1], "the one with a message is ready");
        child.signal(SIGKILL).expect("ours");
        second.1.recv().expect("a message");
        let end = ipc::wait(&things(), Wait::forever()).expect("waited");
        check("end", end == [2], "and the one that has ended");
        let (sender, receiver) = first;
        drop(sender);
        let things = [receiver.fd().expect("ours"), child.sentinel().expect("ours")];
        check(
            "both",
            ipc::wait(&things, LONG).expect("waited") == [0, 1],
            "the end of a pipe, too",
        );
        child.wait().expect("its status");
    }
);

#[test]
fn many_connections_and_sentinels_are_waited_for_at_once() {
    Judge::scenario(&waits_for_many)
        .declare(["none", "time", "one", "end", "both"])
        .run()
        .assert_clean();
}

scenario!(
    fn a_child_closes_the_ends_of_others() {
        // The second child is forked while the parent has the first one's pipe.
        let (to_first, first) = pipe::<u8>().expect("a pipe");
        let until_end =
            |receiver: Receiver<u8>| i32::from(!matches!(receiver.recv(), Err(RecvError::Closed)));
        let first = fork_with(first, until_end).expect("a child");
        let (to_second, second) = pipe::<u8>().expect("a pipe");
        let second = fork_with(second, until_end).expect("a child");
        drop(to_first);
        check("first", ends_well(&first), "its end comes, though the second child lives");
        drop(to_second);
        check("second", ends_well(&second), "and then the second one's");
    }
);

#[test]
fn a_sibling_holds_no_pipe_open() {
    Judge::scenario(&a_child_closes_the_ends_of_others)
        .declare(["first", "second"])
        .run()
        .assert_clean();
}

#[test]
fn large_messages_that_wait_for_their_receiver_are_not_written_over() {
    let (sender, receiver) = pipe::<()>().expect("a pipe");
    let mut message = Vec::new();
    for _ in 0..3 {
        [1, 2].iter().for_each(|byte| sender.send_bytes(&[*byte; 100_000]).expect("sent"));
        for byte in [1, 2] {
            receiver.recv_bytes(&mut message).expect("it is there");
            assert!(message == [byte; 100_000]);
        }
    }
}

#[test]
fn what_the_other_side_made_up_is_an_error() {
    use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
    use std::os::fd::{AsRawFd, OwnedFd};
    let (sender, receiver) = pipe::<u8>().expect("a pipe");
    let raw = |bytes: &[u8]| {
        let socket = sender.fd().expect("ours").as_raw_fd();
        nix::sys::socket::send(socket, bytes, MsgFlags::empty()).expect("sent");
    };
    // A head that promises what is in no file, and one that is cut off.
    raw(&[1, 255, 255, 255, 255, 255, 255, 255, 255]);
    assert!(matches!(receiver.recv(), Err(RecvError::Os(_))));
    raw(&[1, 2]);
    assert!(matches!(receiver.recv(), Err(RecvError::Os(_))));
    // And a file that is shorter than the head says.
    let memory = ipc::SharedMemory::new(64).expect("memory");
    let head = [1, 0, 0, 0, 1, 0, 0, 0, 0];
    sendmsg::<UnixAddr>(
        sender.fd().expect("ours").as_raw_fd(),
        &[std::io::IoSlice::new(&head)],
        &[ControlMessage::ScmRights(&[memory.fd().as_raw_fd()])],
        MsgFlags::empty(),
        None,
    )
    .expect("sent");
    assert!(matches!(receiver.recv(), Err(RecvError::Os(_))));
    sender.send(&7).expect("sent");
    assert_eq!(receiver.recv().ok(), Some(7));
    let other: OwnedFd = std::os::unix::net::UnixStream::pair().expect("a pair").0.into();
    let made: std::io::Result<Receiver<u8>> = ipc::Handover::from_fds(&mut [other].into_iter());
    assert_eq!(made.expect_err("refused").raw_os_error(), Some(libc::EINVAL));
}
