//! What an isolated program may reach: no network but its own, and no file to write but its folder's.
//!
//! It is done by the case, in namespaces of its own, just before it becomes the program.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

use crate::folder;

/// Cuts it off, and says where the supervisor looks what could not be done.
pub(crate) fn confine(folder: &Path) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    match loopback() {
        Ok(()) => folder::note(folder, "network namespace: nobody but itself on 127.0.0.1"),
        Err(error) => folder::note(folder, &format!("network namespace without lo ({error})")),
    }
    let none = None::<&str>;
    // A mount of its own, so that it can stay as it is.
    mount(Some(folder), folder, none, MsFlags::MS_BIND, none)?;
    let own = ["/proc", "/dev/shm", "/dev/mqueue"].map(Path::new);
    let mut writable = Vec::new();
    for (place, flags) in mounts()? {
        if place == folder || own.contains(&&*place) {
            continue;
        }
        let flags = flags | MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        if let Err(error) = mount(none, &place, none, flags, none)
            && place == Path::new("/")
        {
            return Err(error.into());
        }
        if fs::metadata(&place).is_ok() && is_writable(&place) {
            writable.push(place.display().to_string());
        }
    }
    folder::note(
        folder,
        &match writable.as_slice() {
            [] => "files: none can be written but its own folder's".to_owned(),
            some => format!("files: can be written below {} all the same", some.join(", ")),
        },
    );
    Ok(())
}

fn is_writable(place: &Path) -> bool {
    nix::sys::statvfs::statvfs(place)
        .is_ok_and(|mount| !mount.flags().contains(nix::sys::statvfs::FsFlags::ST_RDONLY))
}

/// Every mount of this namespace, with those of its flags that a remount must repeat.
fn mounts() -> io::Result<Vec<(PathBuf, MsFlags)>> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(4);
        let (place, options) = (unescaped(fields.next()?), fields.next()?);
        let flags = options.split(',').fold(MsFlags::empty(), |flags, option| {
            flags
                | match option {
                    "nosuid" => MsFlags::MS_NOSUID,
                    "nodev" => MsFlags::MS_NODEV,
                    "noexec" => MsFlags::MS_NOEXEC,
                    "noatime" => MsFlags::MS_NOATIME,
                    "nodiratime" => MsFlags::MS_NODIRATIME,
                    "relatime" => MsFlags::MS_RELATIME,
                    _ => MsFlags::empty(),
                }
        });
        Some((PathBuf::from(place), flags))
    };
    Ok(table.lines().filter_map(mount).collect())
}

/// The kernel writes a blank as `\040`.
fn unescaped(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|octal| u8::from_str_radix(octal, 8).ok()) {
            Some(byte) => {
                text.push(byte.into());
                text.push_str(&part[3..]);
            }
            None => text.push_str(part),
        }
    }
    text
}

/// Sets up the loopback device, which is down in a new namespace: answers may talk to themselves.
///
/// Source: [rtnetlink(7)](https://man7.org/linux/man-pages/man7/rtnetlink.7.html), `RTM_NEWLINK`.
fn loopback() -> io::Result<()> {
    const NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const UP: u32 = 1;
    let route = SockProtocol::NetlinkRoute;
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, Some(route))?;
    let mut message = Vec::new();
    message.extend(32u32.to_ne_bytes()); // length, header included
    message.extend(NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACK.to_ne_bytes());
    message.extend([0; 8]); // sequence, port
    message.extend([0; 4]); // family, padding, type
    message.extend(1i32.to_ne_bytes()); // the first device is lo
    message.extend(UP.to_ne_bytes()); // flags
    message.extend(UP.to_ne_bytes()); // which of them to change
    send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 256];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // An error message: the header, and an errno made negative.
    match answer.get(16..20).filter(|_| length >= 20).and_then(|code| code.try_into().ok()) {
        Some(code) => match i32::from_ne_bytes(code) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(-error)),
        },
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
