// Right: it asks first, and binds then.
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

pub fn bind_exclusive(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return UnixListener::bind(path),
        Err(e) => return Err(e),
        Ok(meta) if !meta.file_type().is_socket() => return Err(ErrorKind::AddrInUse.into()),
        Ok(_) => {}
    }
    match UnixStream::connect(path).map_err(|e| e.kind()) {
        Err(ErrorKind::ConnectionRefused) => std::fs::remove_file(path)?,
        _ => return Err(ErrorKind::AddrInUse.into()),
    }
    UnixListener::bind(path)
}
