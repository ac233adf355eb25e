use std::fmt;

/// The bytes of a stream, cut into messages as Python's `multiprocessing.connection` does: four bytes
/// of length, the highest first, or -1 and eight more.
///
/// It takes bytes as they come and holds no more than came: a length is only a claim until the bytes
/// are there, and one beyond the limit is refused at once.
#[derive(Debug)]
pub(crate) struct FrameReader {
    buffer: Vec<u8>,
    /// Up to here the buffer is read.
    start: usize,
    /// What a frame may be long: little before the handshake is done, more after.
    pub(crate) limit: usize,
}

impl FrameReader {
    pub(crate) fn new(limit: usize) -> FrameReader {
        FrameReader { buffer: Vec::new(), start: 0, limit }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend(bytes);
    }

    /// The next whole frame, if it has come.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let unread = &self.buffer[self.start..];
        let Some((head, rest)) = unread.split_first_chunk::<4>() else { return Ok(None) };
        let (len, head) = match i32::from_be_bytes(*head) {
            -1 => match rest.first_chunk::<8>() {
                Some(long) => (u64::from_be_bytes(*long), 12),
                None => return Ok(None),
            },
            len => (u64::try_from(len).map_err(|_| FrameError::Negative(len))?, 4),
        };
        let fits = usize::try_from(len).ok().filter(|len| *len <= self.limit);
        let len = fits.ok_or(FrameError::TooLong { len, limit: self.limit })?;
        if unread.len() < head + len {
            return Ok(None);
        }
        let start = self.start + head;
        self.start = start + len;
        // A frame that was large once is no reason to keep its memory.
        if self.start == self.buffer.len() && self.buffer.capacity() > KEEP && len < KEEP {
            self.buffer = self.buffer[start..].to_vec();
            self.start = len;
            return Ok(Some(&self.buffer));
        }
        Ok(Some(&self.buffer[start..start + len]))
    }
}

const KEEP: usize = 1 << 18;

/// Writes a frame: its length, then what `write` appends. In one piece, since two small writes on a
/// TCP connection wait for each other.
pub(crate) fn frame<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend([0; 4]);
    if let Err(error) = write(out) {
        out.truncate(start);
        return Err(error);
    }
    let len = out.len() - start - 4;
    match i32::try_from(len) {
        Ok(len) => out[start..start + 4].copy_from_slice(&len.to_be_bytes()),
        Err(_) => {
            let long = (len as u64).to_be_bytes();
            out.splice(start..start + 4, (-1_i32).to_be_bytes().into_iter().chain(long));
        }
    }
    Ok(())
}

/// A frame was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// Its length is below zero.
    Negative(i32),
    /// It would be longer than what is taken here.
    TooLong {
        /// What it says.
        len: u64,
        /// What would be taken.
        limit: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Negative(len) => write!(f, "a message of {len} bytes"),
            FrameError::TooLong { len, limit } => {
                write!(f, "a message of {len} bytes, where {limit} are taken at most")
            }
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let write = |out: &mut Vec<u8>| {
            out.resize(out.len() + len, 7);
            Ok::<(), ()>(())
        };
        frame(&mut out, write).expect("no error");
        out
    }

    #[test]
    fn frames_arrive_whole_however_the_bytes_are_cut() {
        let bytes: Vec<u8> = [0, 1, 300, 5].into_iter().flat_map(framed).collect();
        for cut in [1, 2, 3, 7, 1000] {
            let mut reader = FrameReader::new(300);
            let mut seen = Vec::new();
            for piece in bytes.chunks(cut) {
                reader.feed(piece);
                while let Some(frame) = reader.next().expect("none is too long") {
                    assert!(frame.iter().all(|byte| *byte == 7));
                    seen.push(frame.len());
                }
            }
            assert_eq!(seen, [0, 1, 300, 5], "in pieces of {cut}");
            assert_eq!(reader.start, reader.buffer.len());
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_any_of_it_has_come() {
        let mut reader = FrameReader::new(256);
        reader.feed(&257_i32.to_be_bytes());
        assert_eq!(reader.next(), Err(FrameError::TooLong { len: 257, limit: 256 }));
        let mut reader = FrameReader::new(256);
        reader.feed(&[&(-1_i32).to_be_bytes()[..], &u64::MAX.to_be_bytes()].concat());
        assert_eq!(reader.next(), Err(FrameError::TooLong { len: u64::MAX, limit: 256 }));
        let mut reader = FrameReader::new(256);
        reader.feed(&(-2_i32).to_be_bytes());
        assert_eq!(reader.next(), Err(FrameError::Negative(-2)));
    }

    #[test]
    fn the_long_form_of_a_length_is_understood_for_short_frames_too() {
        let mut reader = FrameReader::new(256);
        reader.feed(&[&(-1_i32).to_be_bytes()[..], &3_u64.to_be_bytes(), b"abc"].concat());
        assert_eq!(reader.next(), Ok(Some(&b"abc"[..])));
    }
}
