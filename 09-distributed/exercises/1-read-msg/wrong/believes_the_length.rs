// Wrong: it trusts the length.
// Refused by: a_length_over_max_is_refused_unread
// Told: a length of 4 GiB from the wire was allocated
use std::io::{self, ErrorKind, Read};

pub const MAX: usize = 1 << 20;

pub fn read_msg(r: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
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
    let mut msg = vec![0; n];
    r.read_exact(&mut msg)?;
    Ok(Some(msg))
}
