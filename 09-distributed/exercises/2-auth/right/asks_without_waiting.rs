// Right: reads without waiting, again and again, so there is no time limit to take away.
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
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
    let start = Instant::now();
    let mut answer = Vec::new();
    let mut piece = [0; 16];
    while answer.len() < 16 && start.elapsed() < LIMIT {
        let room = &mut piece[..16 - answer.len()];
        match recv(stream.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&piece[..n]),
            Err(Errno::EAGAIN) => std::thread::sleep(Duration::from_millis(1)),
            Err(Errno::EINTR) => {}
            Err(_) => break,
        }
    }
    let good = answer == mac(key, &challenge);
    let _ = stream.write_all(if good { b"OK" } else { b"NO" });
    Ok(good)
}
