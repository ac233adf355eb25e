// Wrong: a running server loses its address.
// Refused by: a_live_server_keeps_its_address
// Told: you took the address away from a server that is alive
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
pub fn bind_exclusive(path: &Path) -> io::Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    match UnixListener::bind(path) {
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            let is_socket = std::fs::symlink_metadata(path)?.file_type().is_socket();
            match UnixStream::connect(path) {
                Err(c) if is_socket && c.kind() == ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path)?;
                    UnixListener::bind(path)
                }
                _ => Err(e),
            }
        }
        other => other,
    }
}
