//! How the judge and its supervisor talk: length-prefixed fields, since nothing that a judged
//! program does may be taken for a delimiter.

use std::io::{self, Read, Write};
use std::time::Duration;

pub(crate) trait Wire: Sized {
    fn put(&self, to: &mut Vec<u8>);
    fn get(from: &mut &[u8]) -> io::Result<Self>;

    /// Several of them: bytes, which may be many, go at once.
    fn put_all(items: &[Self], to: &mut Vec<u8>) {
        items.iter().for_each(|item| item.put(to));
    }
    fn get_all(count: u64, from: &mut &[u8]) -> io::Result<Vec<Self>> {
        (0..count).map(|_| Self::get(from)).collect()
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the supervisor's message is cut short")
}

impl Wire for u64 {
    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self.to_le_bytes());
    }
    fn get(from: &mut &[u8]) -> io::Result<u64> {
        let (bytes, rest) = from.split_first_chunk::<8>().ok_or_else(cut)?;
        *from = rest;
        Ok(u64::from_le_bytes(*bytes))
    }
}

impl Wire for i32 {
    fn put(&self, to: &mut Vec<u8>) {
        u64::from(self.cast_unsigned()).put(to);
    }
    fn get(from: &mut &[u8]) -> io::Result<i32> {
        Ok((u64::get(from)? as u32).cast_signed())
    }
}

impl Wire for u8 {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(*self);
    }
    fn get(from: &mut &[u8]) -> io::Result<u8> {
        let (&byte, rest) = from.split_first().ok_or_else(cut)?;
        *from = rest;
        Ok(byte)
    }
    fn put_all(items: &[u8], to: &mut Vec<u8>) {
        to.extend_from_slice(items);
    }
    fn get_all(count: u64, from: &mut &[u8]) -> io::Result<Vec<u8>> {
        let count = usize::try_from(count).map_err(|_| cut())?;
        let (bytes, rest) = from.split_at_checked(count).ok_or_else(cut)?;
        *from = rest;
        Ok(bytes.to_vec())
    }
}

impl Wire for bool {
    fn put(&self, to: &mut Vec<u8>) {
        u64::from(*self).put(to);
    }
    fn get(from: &mut &[u8]) -> io::Result<bool> {
        Ok(u64::get(from)? != 0)
    }
}

impl Wire for Duration {
    fn put(&self, to: &mut Vec<u8>) {
        (self.as_nanos() as u64).put(to);
    }
    fn get(from: &mut &[u8]) -> io::Result<Duration> {
        Ok(Duration::from_nanos(u64::get(from)?))
    }
}

impl Wire for String {
    fn put(&self, to: &mut Vec<u8>) {
        (self.len() as u64).put(to);
        u8::put_all(self.as_bytes(), to);
    }
    fn get(from: &mut &[u8]) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&Vec::<u8>::get(from)?).into_owned())
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, to: &mut Vec<u8>) {
        (self.len() as u64).put(to);
        T::put_all(self, to);
    }
    fn get(from: &mut &[u8]) -> io::Result<Vec<T>> {
        T::get_all(u64::get(from)?, from)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }
    fn get(from: &mut &[u8]) -> io::Result<Option<T>> {
        Ok(if bool::get(from)? { Some(T::get(from)?) } else { None })
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
        self.1.put(to);
    }
    fn get(from: &mut &[u8]) -> io::Result<(A, B)> {
        Ok((A::get(from)?, B::get(from)?))
    }
}

/// Implements [`Wire`] for a struct, field by field.
macro_rules! wire {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, to: &mut Vec<u8>) {
                $($crate::wire::Wire::put(&self.$field, to);)*
            }
            fn get(from: &mut &[u8]) -> std::io::Result<Self> {
                $(let $field = $crate::wire::Wire::get(from)?;)*
                Ok($name { $($field),* })
            }
        }
    };
}
pub(crate) use wire;

/// Writes one message.
pub(crate) fn send(to: &mut impl Write, message: &impl Wire) -> io::Result<()> {
    let mut body = Vec::new();
    message.put(&mut body);
    let mut frame = (body.len() as u64).to_le_bytes().to_vec();
    frame.extend(body);
    to.write_all(&frame)?;
    to.flush()
}

/// Reads one message; `None` at the end of the stream.
pub(crate) fn receive<T: Wire>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut len = [0; 8];
    match from.read_exact(&mut len) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut body = Vec::new();
    let wanted = u64::from_le_bytes(len);
    if from.take(wanted).read_to_end(&mut body)? as u64 != wanted {
        return Err(cut());
    }
    T::get(&mut body.as_slice()).map(Some)
}
