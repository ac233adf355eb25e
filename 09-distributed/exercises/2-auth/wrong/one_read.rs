// Wrong: one read must bring it all.
// Refused by: an_answer_in_pieces_is_whole
// Told: one read may bring 5 bytes
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub const LIMIT: Duration = Duration::from_millis(300);

pub fn mac(key: &[u8], data: &[u8]) -> [u8; 16] {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let half = |salt: u8| {
        let mut h = DefaultHasher::new();
        (salt, key, data, key).hash(&mut h);
        h.finish().to_be_bytes()
    };
    [half(1), half(2)].concat().try_into().unwrap()
}

pub fn nonce() -> io::Result<[u8; 16]> {
    let mut n = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut n)?;
    Ok(n)
}

pub fn authenticate(stream: &mut TcpStream, key: &[u8]) -> io::Result<bool> {
    let challenge = nonce()?;
    stream.write_all(&challenge)?;
    let mut answer = [0; 16];
    stream.set_read_timeout(Some(LIMIT))?;
    let complete = stream.read(&mut answer).is_ok_and(|n| n == 16);
    let diff = mac(key, &challenge).iter().zip(&answer).fold(0, |d, (a, b)| d | (a ^ b));
    let good = complete && diff == 0;
    let _ = stream.write_all(if good { b"OK" } else { b"NO" });
    stream.set_read_timeout(None)?;
    Ok(good)
}
