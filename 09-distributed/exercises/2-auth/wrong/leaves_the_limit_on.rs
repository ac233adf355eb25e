// Wrong: the time limit stays on the stream.
// Refused by: the_stream_comes_back_as_it_came
// Told: the time limit is still on the stream
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
    let complete = read_by(stream, &mut answer, Instant::now() + LIMIT)?;
    let diff = mac(key, &challenge).iter().zip(&answer).fold(0, |d, (a, b)| d | (a ^ b));
    let good = complete && diff == 0;
    let _ = stream.write_all(if good { b"OK" } else { b"NO" });
    Ok(good)
}

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
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}
