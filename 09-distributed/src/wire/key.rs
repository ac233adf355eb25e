use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The secret that both sides share: Python's `authkey`. It is never printed.
///
/// Who has it may put and take, and nothing else: unlike with Python's own server it does not
/// let anybody run code.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// Bytes that are already at hand. The tutorial's `b"abc"` is good for loopback and for nothing else.
    pub fn new(bytes: &[u8]) -> Key {
        Key(bytes.into())
    }

    /// From a file, without its last line end.
    ///
    /// # Errors
    ///
    /// When it can't be read, is empty, or when others than its owner may read it: mode 0600.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Key, KeyError> {
        let path = path.as_ref();
        let bytes = read_private(path, 4097)?;
        let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        match key.len() {
            1..=4096 => Ok(Key::new(key)),
            _ => Err(KeyError::Size(path.to_owned())),
        }
    }

    /// Makes a key of 32 random bytes in a new file of mode 0600, as hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When the file is there already, or can't be written.
    pub fn generate(path: impl AsRef<Path>) -> Result<Key, KeyError> {
        let path = path.as_ref();
        let failed = |error| KeyError::Io(path.to_owned(), error);
        let text: String =
            random::<32>().map_err(failed)?.iter().map(|byte| format!("{byte:02x}")).collect();
        create_private(path, &format!("{text}\n"))?;
        Ok(Key::new(text.as_bytes()))
    }

    /// Too short to withstand somebody who guesses: less than 16 bytes.
    pub fn is_weak(&self) -> bool {
        self.0.len() < 16
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What is in a file that only its owner may read, up to a length.
pub(crate) fn read_private(path: &Path, limit: u64) -> Result<Vec<u8>, KeyError> {
    let failed = |error| KeyError::Io(path.to_owned(), error);
    // The file that is asked for its mode is the one that is read, whatever is renamed meanwhile.
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open(path.to_owned(), mode));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// A new file that only its owner may read.
pub(crate) fn create_private(path: &Path, text: &str) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| KeyError::Io(path.to_owned(), error))
}

/// From the kernel, and nothing less.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// There is no key to be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The file can't be read, or made.
    Io(PathBuf, io::Error),
    /// Others may read it: this is its mode.
    Open(PathBuf, u32),
    /// It is empty, or longer than any key.
    Size(PathBuf),
    /// It is not what TLS needs, and why.
    Tls(PathBuf, String),
    /// This program was built without the cargo feature `tls`.
    NoTls,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Io(path, error) if error.kind() == io::ErrorKind::AlreadyExists => {
                write!(
                    f,
                    "{} is there already: a key that is in use is not overwritten",
                    path.display()
                )
            }
            KeyError::Io(path, error) => write!(f, "key file {}: {error}", path.display()),
            KeyError::Open(path, mode) => write!(
                f,
                "key file {0} has mode {mode:04o}: others may read it; chmod 600 {0}, or make a new one",
                path.display()
            ),
            KeyError::Size(path) => {
                write!(f, "key file {}: a key has 1 to 4096 bytes", path.display())
            }
            KeyError::Tls(path, reason) => {
                write!(f, "{} is no file for TLS as `keygen` makes them: {reason}", path.display())
            }
            KeyError::NoTls => {
                write!(f, "there is no TLS in this program: build it with `--features tls`")
            }
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            KeyError::Io(_, error) => Some(error),
            _ => None,
        }
    }
}
