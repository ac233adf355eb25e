// Wrong: no restart after a crash.
// Refused by: the_file_of_a_dead_server_is_replaced
// Told: no restart after a crash
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
pub fn bind_exclusive(path: &Path) -> io::Result<UnixListener> {
    UnixListener::bind(path)
}
