//! Sockets: which, and who has the other end, as far as /proc/net tells.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::call::Memory;
use super::descriptor;
use super::scene::{Holder, Scene, Task};
use super::wait::Wakers;

/// A line of /proc/net/tcp.
struct Tcp {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    inode: u64,
}

pub(super) fn describe(scene: &Scene, task: &Task, holder: &Holder) -> (String, Wakers) {
    let inode = holder.target.trim_matches(|it: char| !it.is_ascii_digit()).parse().unwrap_or(0);
    internet(scene, task, inode)
        .or_else(|| unix(scene, task, inode))
        .unwrap_or_else(|| ("a socket of which /proc/net says nothing".to_owned(), Wakers::Outside))
}

fn internet(scene: &Scene, task: &Task, inode: u64) -> Option<(String, Wakers)> {
    let table = |name: &str| {
        let text = fs::read_to_string(format!("/proc/{}/net/{name}", task.pid)).unwrap_or_default();
        text.lines().skip(1).filter_map(parse).collect::<Vec<Tcp>>()
    };
    let streams: Vec<Tcp> = ["tcp", "tcp6"].into_iter().flat_map(table).collect();
    if let Some(it) = streams.iter().find(|it| it.inode == inode) {
        if it.listens {
            return Some((format!("the TCP socket listening at {}", it.local), Wakers::Outside));
        }
        let what = format!("the TCP connection from {} to {}", it.local, it.remote);
        let plain = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
        let ends = |one: &Tcp| (plain(one.local), plain(one.remote));
        let peer = streams.iter().find(|other| ends(other) == (plain(it.remote), plain(it.local)));
        return Some(match peer.filter(|peer| peer.inode != 0) {
            Some(peer) => other_end(scene, task, what, "", peer.inode),
            None => (what, Wakers::Outside),
        });
    }
    let datagrams: Vec<Tcp> = ["udp", "udp6"].into_iter().flat_map(table).collect();
    let it = datagrams.iter().find(|it| it.inode == inode)?;
    Some((format!("the UDP socket at {}", it.local), Wakers::Outside))
}

fn parse(line: &str) -> Option<Tcp> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    Some(Tcp {
        local: address(fields.get(1)?)?,
        remote: address(fields.get(2)?)?,
        listens: *fields.get(3)? == "0A",
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// An address as words of 32 bits in hexadecimal, each in the machine's byte order.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for word in ip.as_bytes().chunks(8) {
        let word: &[u8; 8] = word.try_into().ok()?;
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(&*bytes) {
        Ok(four) => IpAddr::from(Ipv4Addr::from(four)),
        Err(_) => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(&*bytes).ok()?)),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// The kernel's table of unix sockets has no peers. Both of a pair are made at once, and so have
/// numbers that follow each other.
fn unix(scene: &Scene, task: &Task, inode: u64) -> Option<(String, Wakers)> {
    let table = fs::read_to_string(format!("/proc/{}/net/unix", task.pid)).ok()?;
    let sockets: Vec<(u64, bool, bool, Option<&str>)> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = *fields.get(3)? == "00010000";
            let connected = *fields.get(5)? == "03";
            Some((fields.get(6)?.parse().ok()?, listens, connected, fields.get(7).copied()))
        })
        .collect();
    let &(_, listens, connected, path) = sockets.iter().find(|it| it.0 == inode)?;
    let path = path.unwrap_or("without a name");
    if listens {
        return Some((format!("the unix socket listening at {path}"), Wakers::Outside));
    }
    let pair = |other: &&(u64, bool, bool, Option<&str>)| {
        other.0.abs_diff(inode) == 1 && other.2 && other.3.is_none()
    };
    let peers: Vec<_> = sockets.iter().filter(pair).collect();
    Some(match peers[..] {
        [peer] if connected && path == "without a name" => {
            other_end(scene, task, "a unix socket".to_owned(), ", by its number,", peer.0)
        }
        _ => (format!("a unix socket {path}"), Wakers::Outside),
    })
}

fn other_end(
    scene: &Scene,
    task: &Task,
    what: String,
    how_known: &str,
    inode: u64,
) -> (String, Wakers) {
    let target = format!("socket:[{inode}]");
    let holders = scene.holders(|it| it.target == target);
    if holders.is_empty() {
        return (format!("{what} whose other end nobody has open"), Wakers::Outside);
    }
    let wakers = Wakers::processes(scene, holders.iter().map(|it| it.pid)).but(scene, task);
    let who = descriptor::who(scene, task, &holders);
    (format!("{what} whose other end is{how_known} open in {who}"), wakers)
}

/// The address in the memory of a thread that connects.
pub(super) fn name(memory: &Memory, address: u64) -> Option<String> {
    let family = i32::from(memory.u16(address)?);
    let port = u16::from_be_bytes(memory.bytes(address + 2)?);
    Some(match family {
        libc::AF_INET => {
            let ip = Ipv4Addr::from(memory.bytes::<4>(address + 4)?);
            SocketAddr::new(ip.into(), port).to_string()
        }
        libc::AF_INET6 => {
            let ip = Ipv6Addr::from(memory.bytes::<16>(address + 8)?);
            SocketAddr::new(ip.into(), port).to_string()
        }
        libc::AF_UNIX => format!("the unix socket {}", memory.text(address + 2)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_are_read() {
        let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
        let text = format!("{loopback:08X}:1F90");
        assert_eq!(address(&text).map(|it| it.to_string()).as_deref(), Some("127.0.0.1:8080"));
        let last = u32::from_ne_bytes([0, 0, 0, 1]);
        let text = format!("{:024X}{last:08X}:0050", 0);
        assert_eq!(address(&text).map(|it| it.to_string()).as_deref(), Some("[::1]:80"));
        for nonsense in ["", "7F", "zz:1", "0100007F:", "010000:1F90"] {
            assert_eq!(address(nonsense), None, "{nonsense}");
        }
    }
}
