use std::io::{self, ErrorKind, Read};

/// Longest message that we accept.
pub const MAX: usize = 1 << 20;

/// Read one message: 4 bytes big-endian length, then that many bytes.
/// Ok(None) when the stream ends between two messages; Err(UnexpectedEof) when it ends inside one (also inside the length);
/// Err(InvalidData), without allocating, when the length is over MAX. A read that is interrupted (EINTR) goes on.
pub fn read_msg(r: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    // The first byte alone: read_exact says the same of no bytes, the clean end, as of a length that is cut.
    loop {
        match r.read(&mut len[..1]) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        }
    }
    r.read_exact(&mut len[1..])?;
    let n = u32::from_be_bytes(len) as usize;
    if n > MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut msg = vec![0; n];
    r.read_exact(&mut msg)?;
    Ok(Some(msg))
}
