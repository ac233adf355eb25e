//! Pipes, FIFOs, sockets, terminals, polls.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};

use judge::{Judge, scenario};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::EventFd;
use nix::sys::select::{FdSet, select};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, pipe2};

use crate::{comes_before, program_says, ready, says};

fn number(fd: &impl AsRawFd) -> i64 {
    fd.as_raw_fd().into()
}

fn pipe() -> [File; 2] {
    let (read, write) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    [File::from(read), File::from(write)]
}

/// A `cat` between two pipes, or a pipe and nothing.
fn cat(stdin: impl Into<Stdio>, stdout: impl Into<Stdio>) -> Child {
    Command::new("/bin/cat").stdin(stdin).stdout(stdout).spawn().expect("a child")
}

scenario!(
    fn reads_with_its_own_write_end_open() {
        let [mut read, write] = pipe();
        ready(&[("read", number(&read)), ("write", number(&write))]);
        let _ = read.read(&mut [0]);
    }
);

#[test]
fn a_reader_that_holds_the_write_end_waits_for_its_own_end() {
    let said = says(
        &reads_with_its_own_write_end_open,
        &[
            "waits in read({read}) on a pipe whose write end is still open only in process {main}",
            "itself (fd {write}): it waits for its own end",
        ],
    );
    assert!(said[0].ends_with("waits for itself: nobody else can end that"), "{said:?}");
}

scenario!(
    fn reads_while_a_sibling_holds_the_write_end() {
        let [[read, write], [idle, _idle]] = [pipe(), pipe()];
        let sibling = cat(idle, write);
        let mut reader = cat(read, Stdio::null());
        ready(&[("sibling", sibling.id().into()), ("reader", reader.id().into())]);
        let _ = reader.wait();
        drop(sibling);
    }
);

#[test]
fn a_reader_waits_for_a_sibling_that_holds_the_write_end() {
    let said = says(
        &reads_while_a_sibling_holds_the_write_end,
        &[
            "process {reader} (cat) waits in read(0) on a pipe whose write end is still open in \
           process {sibling} (cat) (fd 1), which waits itself",
            "waits in waitpid for its child {reader} (cat), which waits itself",
            // The write end of the sibling's own input is in its parent.
            "process {sibling} (cat) waits in read(0) on a pipe whose write end is still open in process {main}",
        ],
    );
    // The parent waits for the reader, the reader for the sibling, and the sibling for the parent.
    assert!(said[0].ends_with("none can go on"), "{said:?}");
}

scenario!(
    fn writes_what_nobody_reads() {
        let [read, mut write] = pipe();
        ready(&[("read", number(&read)), ("write", number(&write))]);
        let _ = write.write_all(&[0; 1 << 20]);
    }
);

#[test]
fn a_writer_to_a_full_pipe_waits_for_who_holds_its_read_end() {
    says(
        &writes_what_nobody_reads,
        &[
            "waits in write({write}) on a full pipe whose read end is open only in process {main}",
            "itself (fd {read}): nobody else could empty it",
        ],
    );
}

scenario!(
    fn writes_before_it_reads() {
        // Both sides write first: the classic of who talks to a program through two pipes.
        let [[to_read, mut to_write], [from_read, from_write]] = [pipe(), pipe()];
        let filter = cat(to_read, from_write);
        ready(&[("filter", filter.id().into()), ("to", number(&to_write))]);
        let _ = to_write.write_all(&[0; 1 << 20]);
        drop((from_read, filter));
    }
);

#[test]
fn two_that_write_to_each_other_wait_in_a_circle() {
    let said = says(
        &writes_before_it_reads,
        &[
            "process {filter} (cat) waits in write(1) on a full pipe whose read end is open in process {main}",
            "waits in write({to}) on a full pipe whose read end is open in process {filter} (cat) (fd 0), which waits itself",
            " waits for process {filter} (cat) and {filter} for {main}",
        ],
    );
    assert!(said[0].ends_with("neither can go on"), "{said:?}");
}

#[test]
fn a_reader_of_standard_input_waits_for_the_test() {
    let cat = Judge::program("/bin/sh").args(["-c", "echo ready; exec cat"]);
    program_says(
        cat,
        &["process {main} (cat) waits in read(0) on a pipe whose write end is open in the judge: \
           the test has not closed its standard input"],
    );
}

#[test]
fn a_reader_of_a_terminal_waits_for_somebody_to_type() {
    let cat = Judge::program("/bin/sh").args(["-c", "echo ready; exec cat"]).terminal(true);
    program_says(
        cat,
        &[
            "process {main} (cat) waits in read(0) on the terminal /dev/pts/",
            ": nobody has typed a line",
        ],
    );
}

scenario!(
    fn opens_a_fifo_that_nobody_writes_to() {
        let path = std::env::temp_dir().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).expect("a FIFO");
        ready(&[]);
        let _ = File::open(path);
    }
);

#[test]
fn who_opens_a_fifo_waits_for_the_other_side() {
    says(
        &opens_a_fifo_that_nobody_writes_to,
        &["waits in open of the FIFO /", "/fifo for reading: nobody has it open for writing"],
    );
}

scenario!(
    fn accepts() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
        let port = listener.local_addr().expect("an address").port();
        ready(&[("port", port.into()), ("fd", number(&listener))]);
        let _ = listener.accept();
    }
);

#[test]
fn a_server_waits_for_a_connection() {
    says(
        &accepts,
        &["waits in accept({fd}) on the TCP socket listening at 127.0.0.1:{port}: nobody connects"],
    );
}

scenario!(
    fn accepts_at_a_path() {
        let listener = UnixListener::bind(std::env::temp_dir().join("socket")).expect("a socket");
        ready(&[("fd", number(&listener))]);
        let _ = listener.accept();
    }
);

#[test]
fn a_unix_server_waits_at_its_path() {
    says(
        &accepts_at_a_path,
        &["waits in accept({fd}) on the unix socket listening at /", "/socket: nobody connects"],
    );
}

#[test]
fn a_client_waits_for_a_server_that_does_not_accept() {
    let Some(python) = crate::python() else { return };
    // A queue of one: the first client fits, the second waits for its turn.
    let program = "import os, socket, tempfile\n\
        path = os.path.join(tempfile.gettempdir(), 'socket')\n\
        server, first, second = (socket.socket(socket.AF_UNIX) for _ in range(3))\n\
        server.bind(path)\n\
        server.listen(0)\n\
        first.connect(path)\n\
        print(f'ready fd={second.fileno()}', flush=True)\n\
        second.connect(path)\n";
    program_says(
        Judge::program(python).args(["-c", program]),
        &["waits in connect({fd}) for an answer from the unix socket /", "/socket"],
    );
}

scenario!(
    fn receives_from_a_silent_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
        let here = listener.local_addr().expect("an address");
        let mut client = TcpStream::connect(here).expect("a connection");
        let (server, _) = listener.accept().expect("a connection");
        ready(&[
            ("port", here.port().into()),
            ("client", number(&client)),
            ("server", number(&server)),
        ]);
        let _ = client.read(&mut [0]);
    }
);

#[test]
fn a_client_waits_for_the_process_at_the_other_end_of_its_connection() {
    says(
        &receives_from_a_silent_peer,
        &[
            "waits in recvfrom({client}) on the TCP connection from 127.0.0.1:",
            " to 127.0.0.1:{port} whose other end is open in the process itself (fd {server})",
        ],
    );
}

scenario!(
    fn receives_from_its_own_pair() {
        let (mut one, other) = UnixStream::pair().expect("a pair");
        ready(&[("one", number(&one)), ("other", number(&other))]);
        let _ = one.read(&mut [0]);
    }
);

#[test]
fn a_pair_of_sockets_is_known_by_its_numbers() {
    says(
        &receives_from_its_own_pair,
        &[
            "waits in recvfrom({one}) on a unix socket whose other end is, by its number, open in the \
           process itself (fd {other})",
        ],
    );
}

scenario!(
    fn polls_two() {
        let [read, write] = pipe();
        let event = EventFd::new().expect("a descriptor");
        let fds = [("read", number(&read)), ("write", number(&write)), ("event", number(&event))];
        ready(&fds);
        let mut polled = [
            PollFd::new(read.as_fd(), PollFlags::POLLIN),
            PollFd::new(event.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut polled, PollTimeout::NONE);
    }
);

#[test]
fn a_poll_names_each_descriptor() {
    says(
        &polls_two,
        &[
            "waits in poll for fd {read}, a pipe whose write end is still open only in process {main}",
            "itself (fd {write}): it waits for its own end; fd {event}, an eventfd that nobody has raised",
        ],
    );
}

scenario!(
    fn polls_nothing() {
        ready(&[]);
        let _ = poll(&mut [], PollTimeout::NONE);
    }
);

#[test]
fn a_poll_of_nothing_is_called_that() {
    let said = says(&polls_nothing, &["waits in poll for no descriptor at all"]);
    assert!(said[0].ends_with("waits for itself: nobody else can end that"), "{said:?}");
}

scenario!(
    fn polls_with_a_timeout() {
        ready(&[]);
        let _ = poll(&mut [], PollTimeout::from(60_000u16));
    }
);

#[test]
fn a_poll_with_a_timeout_tells_it() {
    says(&polls_with_a_timeout, &["waits in poll for up to 60 s for no descriptor at all"]);
}

scenario!(
    fn selects_one() {
        let [read, write] = pipe();
        ready(&[("read", number(&read)), ("write", number(&write))]);
        let mut wanted = FdSet::new();
        wanted.insert(read.as_fd());
        let _ = select(None, Some(&mut wanted), None, None, None);
        drop(write);
    }
);

#[test]
fn a_select_names_its_descriptors() {
    says(
        &selects_one,
        &[
            "waits in select for fd {read}, a pipe whose write end is still open only in",
            "(fd {write})",
        ],
    );
}

scenario!(
    fn waits_in_epoll() {
        let [read, write] = pipe();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("a descriptor");
        epoll.add(&read, EpollEvent::new(EpollFlags::EPOLLIN, 0)).expect("one that can be polled");
        ready(&[("read", number(&read)), ("write", number(&write)), ("epoll", number(&epoll.0))]);
        let _ = epoll.wait(&mut [EpollEvent::empty()], nix::sys::epoll::EpollTimeout::NONE);
    }
);

#[test]
fn an_epoll_names_what_it_watches() {
    says(
        &waits_in_epoll,
        &[
            "waits in epoll_wait({epoll}) for fd {read}, a pipe whose write end is still open only in",
            "(fd {write}): it waits for its own end",
        ],
    );
}

scenario!(
    fn feeds_a_reader_that_is_stopped() {
        let [read, mut write] = pipe();
        let reader = cat(read, Stdio::null());
        let stopped = nix::unistd::Pid::from_raw(reader.id().cast_signed());
        nix::sys::signal::kill(stopped, nix::sys::signal::Signal::SIGSTOP).expect("a child");
        ready(&[("reader", reader.id().into()), ("write", number(&write))]);
        let _ = write.write_all(&[0; 1 << 20]);
        drop(reader);
    }
);

#[test]
fn the_cause_comes_before_its_consequence() {
    let said = says(
        &feeds_a_reader_that_is_stopped,
        &[
            "waits in write({write}) on a full pipe whose read end is open in process {reader} (cat) (fd 0), which is stopped",
        ],
    );
    comes_before(&said, "is stopped by a signal; SIGCONT would let it go on", "waits in write");
}
