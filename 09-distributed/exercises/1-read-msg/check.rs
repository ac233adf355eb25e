// What `read_msg` must do: a stream has no borders of its own, may be interrupted, and may lie.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::sys::resource::{Resource, setrlimit};

use super::answer::{MAX, read_msg};

pub(crate) const CASES: &[Case] = &[
    Case::of(&messages_come_back_one_by_one).hang(HANG),
    Case::of(&a_message_in_pieces_is_whole).hang(HANG),
    Case::of(&an_interrupted_read_goes_on).hang(HANG),
    Case::of(&an_end_in_the_middle_is_an_error).within(Duration::from_secs(1)).hang(
        "hang: the stream ended in the middle of a message, and you read on and on; a read of 0 \
         bytes is the end, and nothing comes after it",
    ),
    Case::of(&a_length_over_max_is_refused_unread).hang(HANG).signal(
        "a length of 4 GiB from the wire was allocated: check it against MAX first, then make room",
    ),
];

const HANG: &str = "hang: all the bytes are there, and you wait for more; how many have you read?";

/// A stream that gives `step` bytes a read at most, and is interrupted before each if it is asked to.
struct Wire {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
    interrupts: bool,
    calm: bool,
}

impl Wire {
    fn of(bytes: Vec<u8>) -> Wire {
        Wire { bytes, at: 0, step: usize::MAX, interrupts: false, calm: false }
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.calm = !self.calm;
        if self.interrupts && self.calm {
            return Err(ErrorKind::Interrupted.into());
        }
        let left = &self.bytes[self.at..];
        let count = left.len().min(into.len()).min(self.step);
        into[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

fn message(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short message");
    [&length.to_be_bytes()[..], body].concat()
}

const THREE: [&[u8]; 3] = [b"", b"seven", b"forty-two, and then some"];

fn three() -> Vec<u8> {
    THREE.map(message).concat()
}

/// Whether the stream had nothing more to give.
fn gone(got: &io::Result<Option<Vec<u8>>>) -> bool {
    match got {
        Ok(bytes) => bytes.is_none(),
        Err(error) => error.kind() == ErrorKind::UnexpectedEof,
    }
}

judge::case!(
    fn messages_come_back_one_by_one() {
        let mut wire = Wire::of(three());
        for (at, body) in THREE.into_iter().enumerate() {
            let got = read_msg(&mut wire);
            require(
                !body.is_empty() || !matches!(got, Ok(None)),
                "an empty message came out as the end of the stream: it is Some of no bytes",
            );
            require(
                !matches!(&got, Err(error) if error.kind() == ErrorKind::InvalidData),
                "a message of 5 bytes was refused as too long: the length is big-endian, take \
                 u32::from_be_bytes",
            );
            require(
                at == 0 || !gone(&got),
                "the first message came, and the next one was gone: you read more than one message \
                 from the stream, and what a BufReader of your own holds is dropped with it",
            );
            require(
                matches!(&got, Ok(Some(bytes)) if bytes == body),
                &format!("a message of {} bytes was sent, and there came {got:?}", body.len()),
            );
        }
        let got = read_msg(&mut wire);
        require(
            matches!(got, Ok(None)),
            &format!("the stream ended after a whole message: say Ok(None), and not {got:?}"),
        );
    }
);

judge::case!(
    fn a_message_in_pieces_is_whole() {
        for step in [3, 1] {
            let mut wire = Wire { step, ..Wire::of(three()) };
            for body in THREE {
                let got = read_msg(&mut wire);
                require(
                    matches!(&got, Ok(Some(bytes)) if bytes == body),
                    &format!(
                        "a message that came in pieces was cut or shifted: one read is not one \
                         message, use read_exact (pieces of {step}, and there came {got:?})"
                    ),
                );
            }
            require(
                matches!(read_msg(&mut wire), Ok(None)),
                "the last message came in pieces, and after it there was more than the end",
            );
        }
    }
);

judge::case!(
    fn an_interrupted_read_goes_on() {
        let mut wire = Wire { step: 3, interrupts: true, ..Wire::of(three()) };
        for body in THREE.into_iter().map(Some).chain([None]) {
            let got = read_msg(&mut wire);
            require(
                !matches!(&got, Err(error) if error.kind() == ErrorKind::Interrupted),
                "a signal interrupted a read, and you gave up: ErrorKind::Interrupted means read \
                 again (read_exact does, a bare read does not)",
            );
            require(
                matches!(&got, Ok(came) if came.as_deref() == body),
                &format!("a signal interrupted a read, and then there came {got:?}"),
            );
        }
    }
);

/// A connection that is reset before anything came.
struct Reset;

impl Read for Reset {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::ConnectionReset.into())
    }
}

judge::case!(
    fn an_end_in_the_middle_is_an_error() {
        let whole = message(b"seven");
        for cut in 1..whole.len() {
            let place = if cut < 4 { "the length" } else { "the body" };
            let got = read_msg(&mut Wire::of(whole[..cut].to_vec()));
            require(
                !matches!(got, Ok(None)),
                &format!(
                    "the stream ended inside {place}, after {cut} bytes, and you took it for a \
                     clean end: that is UnexpectedEof, only an end before the first byte is clean"
                ),
            );
            require(
                matches!(&got, Err(error) if error.kind() == ErrorKind::UnexpectedEof),
                &format!(
                    "the stream ended inside {place}, after {cut} bytes: say UnexpectedEof, and \
                     not {got:?}"
                ),
            );
        }
        let got = read_msg(&mut Reset);
        require(
            matches!(&got, Err(error) if error.kind() == ErrorKind::ConnectionReset),
            &format!("the connection was reset: hand that error on, and not {got:?}"),
        );
    }
);

judge::case!(
    fn a_length_over_max_is_refused_unread() {
        let longest = vec![7; MAX];
        let got = read_msg(&mut Wire::of(message(&longest)));
        require(
            matches!(got, Ok(Some(bytes)) if bytes == longest),
            "a message of exactly MAX bytes was refused: MAX is the longest that is accepted",
        );
        // So that 4 GiB can't be had: an allocation of them ends the program.
        let _ = setrlimit(Resource::RLIMIT_AS, 2 << 30, 2 << 30);
        for length in [u32::MAX, u32::try_from(MAX + 1).expect("MAX fits the length")] {
            let mut wire = Wire::of(length.to_be_bytes().to_vec());
            let got = read_msg(&mut wire);
            require(
                matches!(&got, Err(error) if error.kind() == ErrorKind::InvalidData),
                &format!(
                    "a length of {length}, over MAX, was believed: say InvalidData before you make \
                     room or read on, and not {got:?}"
                ),
            );
        }
    }
);
