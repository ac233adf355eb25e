// Wrong: a bare read, whose interruption ends everything.
// Refused by: an_interrupted_read_goes_on
// Told: ErrorKind::Interrupted means read again
use std::io::{self, ErrorKind, Read};

pub const MAX: usize = 1 << 20;

pub fn read_msg(r: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    if r.read(&mut len[..1])? == 0 {
        return Ok(None);
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
