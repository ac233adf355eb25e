//! Promises of `send_fds` and `receive_fds`: open files that cross through a socket.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use fork::{receive_fds, send_fds};
use judge::{Judge, check, scenario};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// How many descriptors this process has open, the one that looks excepted.
fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count() - 1
}

scenario!(
    fn sends_and_receives() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let (mut reader, writer) = io::pipe().expect("a pipe");
        send_fds(ours.as_fd(), &[writer.as_fd(), writer.as_fd()]).expect("sent");
        drop(writer);
        for fd in receive_fds(theirs.as_fd()).expect("received") {
            File::from(fd).write_all(b"hello;").expect("written");
        }
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("read");
        check("both", text == "hello;hello;", "both lead to the file that was sent");
        drop(ours);
        let end = receive_fds(theirs.as_fd()).expect_err("an error").kind();
        check("end", end == io::ErrorKind::UnexpectedEof, "and then the end is told");
    }
);

#[test]
fn descriptors_arrive_as_they_were_sent_and_then_comes_the_end() {
    Judge::scenario(&sends_and_receives).declare(["both", "end"]).run().assert_clean();
}

scenario!(
    fn has_room_for_one() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let file = File::open("/dev/null").expect("a file");
        send_fds(ours.as_fd(), &[file.as_fd(); 5]).expect("sent");
        let before = open_descriptors();
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        setrlimit(Resource::RLIMIT_NOFILE, before as u64 + 2, hard).expect("a limit");
        let error = receive_fds(theirs.as_fd()).expect_err("too many");
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("a limit");
        check("told", error.raw_os_error() == Some(libc::EMFILE), &format!("{error}"));
        let left = open_descriptors() - before;
        check("none", left == 0, &format!("{left} of those that fitted are still open"));
    }
);

#[test]
fn of_descriptors_that_dont_all_fit_none_is_kept() {
    Judge::scenario(&has_room_for_one).declare(["told", "none"]).run().assert_clean();
}
