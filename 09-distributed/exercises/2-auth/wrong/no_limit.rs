// Wrong: it waits for the answer without a limit.
// Refused by: a_silent_client_is_refused
// Told: a client that says nothing holds you up
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
    let complete = stream.read_exact(&mut answer).is_ok();
    let diff = mac(key, &challenge).iter().zip(&answer).fold(0, |d, (a, b)| d | (a ^ b));
    let good = complete && diff == 0;
    let _ = stream.write_all(if good { b"OK" } else { b"NO" });
    stream.set_read_timeout(None)?;
    Ok(good)
}
