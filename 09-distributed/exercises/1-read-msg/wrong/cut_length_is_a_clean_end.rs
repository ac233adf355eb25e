// Wrong: an end inside the length counts as an end between two messages.
// Refused by: an_end_in_the_middle_is_an_error
// Told: the stream ended inside the length
use std::io::{self, ErrorKind, Read};

pub const MAX: usize = 1 << 20;

pub fn read_msg(r: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    match r.read_exact(&mut len) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let n = u32::from_be_bytes(len) as usize;
    if n > MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut msg = vec![0; n];
    r.read_exact(&mut msg)?;
    Ok(Some(msg))
}
