use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A client whose whole answer has not come by then is refused.
pub const LIMIT: Duration = Duration::from_millis(300);

/// A keyed digest (for this exercise only; use a real HMAC in production).
pub fn mac(key: &[u8], data: &[u8]) -> [u8; 16] {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let half = |salt: u8| {
        let mut h = DefaultHasher::new();
        (salt, key, data, key).hash(&mut h);
        h.finish().to_be_bytes()
    };
    [half(1), half(2)].concat().try_into().unwrap()
}

/// 16 fresh random bytes.
pub fn nonce() -> io::Result<[u8; 16]> {
    let mut n = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut n)?;
    Ok(n)
}

/// Server side: send 16 bytes of challenge, read the 16 bytes mac(key, challenge), answer b"OK" or b"NO".
/// Ok(true) only for the right answer to this challenge; Ok(false) for a wrong, short or missing one (b"NO" need not arrive then).
/// The key itself never goes over the wire. The stream is handed back as it came, without a time limit.
pub fn authenticate(stream: &mut TcpStream, key: &[u8]) -> io::Result<bool> {
    let challenge = nonce()?;
    stream.write_all(&challenge)?;
    let mut answer = [0; 16];
    let complete = read_by(stream, &mut answer, Instant::now() + LIMIT)?;
    // Every byte is looked at, whichever is wrong: the time it takes tells a guesser nothing.
    let diff = mac(key, &challenge).iter().zip(&answer).fold(0, |d, (a, b)| d | (a ^ b));
    let good = complete && diff == 0;
    let _ = stream.write_all(if good { b"OK" } else { b"NO" });
    stream.set_read_timeout(None)?;
    Ok(good)
}

/// Whether all of `buf` came by then. A limit for each read would begin anew with every byte.
fn read_by(stream: &mut TcpStream, buf: &mut [u8], end: Instant) -> io::Result<bool> {
    let mut got = 0;
    while got < buf.len() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buf[got..]) {
            Ok(0) => return Ok(false),
            Ok(n) => got += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // Too late, or gone: that is the client's fault, and no error of the server.
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}
