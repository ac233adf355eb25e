// Right: a view of the stream that ends by itself, read to its end; the room grows with what comes.
use std::io::{self, ErrorKind, Read};

pub const MAX: usize = 1 << 20;

fn up_to(r: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    r.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub fn read_msg(r: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let len = up_to(r, 4)?;
    if len.is_empty() {
        return Ok(None);
    }
    let len: [u8; 4] = len.try_into().map_err(|_| ErrorKind::UnexpectedEof)?;
    let len = u32::from_be_bytes(len) as usize;
    if len > MAX {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("{len} bytes are over {MAX}")));
    }
    let body = up_to(r, len)?;
    if body.len() < len { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(Some(body)) }
}
