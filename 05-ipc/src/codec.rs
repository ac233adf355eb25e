use std::cell::RefCell;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{RecvError, SendError};

/// The most bytes that a thread keeps for its next message.
const KEPT: usize = 256 << 10;

/// Lends a buffer of this thread, empty: small messages then cost no allocation.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    // Taken, not borrowed: a value may itself put something into a queue while it is serialised.
    let mut scratch = SCRATCH.try_with(RefCell::take).unwrap_or_default();
    scratch.clear();
    let result = work(&mut scratch);
    if scratch.capacity() <= KEPT {
        let _ = SCRATCH.try_with(|kept| kept.replace(scratch));
    }
    result
}

/// Turns a value into bytes, and only then begins to send: one that can't be turned disturbs nothing.
pub(crate) fn encode<T: Serialize + ?Sized, R>(
    value: &T,
    send: impl FnOnce(&[u8]) -> Result<R, SendError>,
) -> Result<R, SendError> {
    with_scratch(|scratch| {
        postcard::serialize_with_flavor(value, Append(scratch)).map_err(SendError::Encode)?;
        send(scratch)
    })
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecvError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        // Something is left over: it was a value of another type.
        Ok(_) => Err(postcard::Error::DeserializeBadEncoding),
        Err(error) => Err(error),
    }
    .map_err(|source| RecvError::Decode { bytes: bytes.to_vec(), source })
}

struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
