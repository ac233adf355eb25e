// What `authenticate` must do, against clients that lie, repeat, dawdle and say nothing.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};
use nix::sys::socket::{MsgFlags, recv};

use super::answer::{LIMIT, authenticate, mac};

pub(crate) const CASES: &[Case] = &[
    Case::of(&the_right_answer_is_let_in).within(LONG).hang(HANG),
    Case::of(&a_wrong_or_short_answer_is_not).within(LONG).hang(HANG),
    Case::of(&a_recorded_answer_is_not).within(LONG).hang(HANG),
    Case::of(&an_answer_in_pieces_is_whole).within(LONG).hang(HANG),
    Case::of(&a_silent_client_is_refused).hang(
        "hang: a client that says nothing holds you up, and with you everybody who comes after \
         it; read with a time limit",
    ),
    Case::of(&a_dripping_client_is_refused).within(LONG).hang(HANG),
    Case::of(&the_stream_comes_back_as_it_came)
        .within(LONG)
        .hang(HANG)
        .descriptor("a descriptor stays open at each call: who keeps a clone of the stream?"),
];

const HANG: &str = "hang: the client has sent its 16 bytes, or hung up, and you wait on, or it \
                    waits for the 16 bytes of your challenge";
const LONG: Duration = Duration::from_secs(5);
const KEY: &[u8] = b"correct horse battery";

/// What came of one connection.
struct Visit {
    verdict: io::Result<bool>,
    challenge: [u8; 16],
    reply: Vec<u8>,
    /// From before the call until it returned: whatever the client did in it was no later.
    took: Duration,
    server: TcpStream,
}

/// The answer that knows the key.
fn right(challenge: &[u8; 16]) -> [u8; 16] {
    mac(KEY, challenge)
}

/// Lets one client in, or not: `client` says what it does with its end and the challenge, then the reply is read.
fn visit(client: impl FnOnce(&TcpStream, &TcpStream, &[u8; 16]) + Send + 'static) -> Visit {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("itself");
    let (mut server, _) = listener.accept().expect("the client");
    // Small pieces go out at once.
    stream.set_nodelay(true).expect("a socket");
    let far = server.try_clone().expect("a descriptor");
    // A thread that a panic does not wait for.
    let client = thread::spawn(move || {
        let mut challenge = [0; 16];
        let came = (&stream).read_exact(&mut challenge).is_ok();
        if came {
            client(&stream, &far, &challenge);
        }
        let mut reply = Vec::new();
        let _ = (&stream).read_to_end(&mut reply);
        (challenge, reply)
    });
    let start = Instant::now();
    let verdict = authenticate(&mut server, KEY);
    let took = start.elapsed();
    let _ = server.shutdown(Shutdown::Both);
    let (challenge, reply) = client.join().expect("the client ends");
    Visit { verdict, challenge, reply, took, server }
}

/// A visit of a client that has every right to be let in. One that a busy machine made late is repeated.
fn welcome(client: fn(&TcpStream, &TcpStream, &[u8; 16])) -> Visit {
    let mut last = visit(client);
    for _ in 0..20 {
        if matches!(last.verdict, Ok(true)) || last.took < LIMIT / 2 {
            break;
        }
        last = visit(client);
    }
    last
}

fn send(mut to: &TcpStream, bytes: &[u8]) {
    // The other side may be gone already.
    let _ = to.write_all(bytes);
}

judge::case!(
    fn the_right_answer_is_let_in() {
        let visit = welcome(|stream, _, challenge| send(stream, &right(challenge)));
        require(
            matches!(visit.verdict, Ok(true)),
            &format!(
                "a client that knows the key answered mac(key, challenge) at once, and you \
                 returned {:?}",
                visit.verdict
            ),
        );
        require(
            visit.reply == b"OK",
            &format!(
                "a client was let in and must be told b\"OK\", after the 16 bytes of the \
                 challenge; it was told {:?}",
                String::from_utf8_lossy(&visit.reply)
            ),
        );
    }
);

/// An answer to a challenge.
type Guess = fn(&[u8; 16]) -> Vec<u8>;

/// What somebody without the key may try.
const GUESSES: [(&str, Guess); 6] = [
    ("an answer made with another key", |challenge| mac(b"guessed", challenge).to_vec()),
    ("an answer whose last byte is wrong", |challenge| {
        let mut answer = right(challenge).to_vec();
        answer[15] ^= 1;
        answer
    }),
    ("the challenge itself", |challenge| challenge.to_vec()),
    ("no byte at all", |_| Vec::new()),
    ("the first byte alone", |challenge| right(challenge)[..1].to_vec()),
    ("all but the last byte", |challenge| right(challenge)[..15].to_vec()),
];

judge::case!(
    fn a_wrong_or_short_answer_is_not() {
        for (what, guess) in GUESSES {
            let short = guess(&[0; 16]).len() < 16;
            let visit = visit(move |stream, _, challenge| {
                send(stream, &guess(challenge));
                let _ = stream.shutdown(Shutdown::Write);
            });
            require(
                !short || !matches!(visit.verdict, Ok(true)),
                &format!(
                    "an empty or short answer was let in ({what}): a comparison stops at the \
                     shorter side, as zip does; require all 16 bytes"
                ),
            );
            require(
                visit.verdict.is_ok(),
                &format!(
                    "a client sent {what} and hung up, and you returned {:?}: that is no error \
                     of the server, whose accept loop would end with it; say Ok(false)",
                    visit.verdict
                ),
            );
            require(
                !matches!(visit.verdict, Ok(true)) && visit.reply != b"OK",
                &format!("a client without the key was let in, with {what}"),
            );
        }
    }
);

judge::case!(
    fn a_recorded_answer_is_not() {
        let heard = welcome(|stream, _, challenge| send(stream, &right(challenge)));
        for _ in 0..3 {
            let recorded = right(&heard.challenge);
            let again = visit(move |stream, _, _| send(stream, &recorded));
            require(
                !matches!(again.verdict, Ok(true)) && again.challenge != heard.challenge,
                "a recorded answer was let in again: the challenge must be fresh random bytes for \
                 every connection",
            );
        }
    }
);

/// Waits until the other side has read what came, or for a moment.
fn until_read(far: &TcpStream) {
    let start = Instant::now();
    let unread = || recv(far.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT);
    while unread().is_ok() && start.elapsed() < LIMIT / 6 {
        pause(Duration::from_millis(1));
    }
}

fn pause(time: Duration) {
    judge::exercise::pause(time);
}

judge::case!(
    fn an_answer_in_pieces_is_whole() {
        let visit = welcome(|stream, far, challenge| {
            let answer = right(challenge);
            send(stream, &answer[..5]);
            until_read(far);
            send(stream, &answer[5..]);
        });
        require(
            matches!(visit.verdict, Ok(true)),
            "the right answer came in two pieces, and was refused: one read may bring 5 bytes of \
             the 16, read on until all are there",
        );
    }
);

judge::case!(
    fn a_silent_client_is_refused() {
        let visit = visit(|_, _, _| {});
        require(
            matches!(visit.verdict, Ok(false)),
            &format!(
                "a client that says nothing is refused, Ok(false), and no error of the server; \
                 you returned {:?}",
                visit.verdict
            ),
        );
        require(
            // A socket's time-outs are counted in ticks, of which the first may be nearly over.
            visit.took + Duration::from_millis(20) >= LIMIT,
            &format!("a client has LIMIT to answer, and was refused after {:?}", visit.took),
        );
    }
);

judge::case!(
    fn a_dripping_client_is_refused() {
        // A byte every 25 ms makes 400 ms. Where the machine is slower than that, it proves nothing and is repeated.
        for _ in 0..10 {
            let (tell, told) = std::sync::mpsc::channel();
            let visit = visit(move |stream, _, challenge| {
                let mut longest = Duration::ZERO;
                for byte in right(challenge) {
                    let before = Instant::now();
                    pause(Duration::from_millis(25));
                    send(stream, &[byte]);
                    longest = longest.max(before.elapsed());
                }
                let _ = tell.send(longest);
            });
            require(
                !matches!(visit.verdict, Ok(true)),
                "a client sent one byte after the other, took longer than LIMIT, and was let in: \
                 a limit for each read begins anew with every byte, measure the whole answer",
            );
            require(
                visit.verdict.is_ok(),
                "a client that sends its answer too slowly is refused, Ok(false), and no error",
            );
            if told.recv().is_ok_and(|longest| longest < LIMIT / 2) {
                break;
            }
        }
    }
);

judge::case!(
    fn the_stream_comes_back_as_it_came() {
        for _ in 0..5 {
            let visit = welcome(|stream, _, challenge| send(stream, &right(challenge)));
            require(
                matches!(visit.server.read_timeout(), Ok(None)),
                "the time limit is still on the stream: a client that was let in and pauses for \
                 longer than LIMIT would be cut off; take it away before you return",
            );
            let flags = nix::fcntl::fcntl(&visit.server, nix::fcntl::FcntlArg::F_GETFL);
            require(
                !flags.is_ok_and(|flags| flags & nix::fcntl::OFlag::O_NONBLOCK.bits() != 0),
                "the stream does not block any more: whoever reads from it next gets WouldBlock",
            );
        }
    }
);
