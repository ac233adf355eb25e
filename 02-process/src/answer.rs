use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::BorrowedFd;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::paper;

/// What a child has to say at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer<V> {
    /// What its function returned.
    Value(V),
    /// Nothing that could cross, and why.
    Nothing(String),
    Panicked {
        message: String,
        place: String,
    },
}

/// An answer on its way to the paper: the length, by which one that was not finished is known, and
/// then the answer.
pub(crate) struct Draft(Vec<u8>);

const HEAD: usize = size_of::<u64>();

impl Draft {
    pub(crate) fn new() -> Draft {
        // Room for a small answer, so that it grows in no child.
        let mut draft = Vec::with_capacity(64);
        draft.extend([0; HEAD]);
        Draft(draft)
    }

    pub(crate) fn of(answer: &Answer<()>) -> Draft {
        let mut draft = Draft::new();
        append(draft.end(), answer);
        draft
    }

    /// Where the answer is to be appended.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(crate) fn leave(self, on: BorrowedFd<'_>) -> io::Result<()> {
        // Its memory is given back by the end of the process, which is near.
        let mut bytes = ManuallyDrop::new(self.0);
        let len = (bytes.len() - HEAD) as u64;
        bytes[..HEAD].copy_from_slice(&len.to_le_bytes());
        paper::write(on, &bytes)
    }
}

/// Appends an answer, or else the reason why its value has no bytes.
pub(crate) fn append<V: Serialize>(to: &mut Vec<u8>, answer: &Answer<V>) {
    let start = to.len();
    if let Err(error) = postcard::to_io(answer, &mut *to) {
        to.truncate(start);
        let reason: Answer<()> = Answer::Nothing(error.to_string());
        postcard::to_io(&reason, to).expect("a text has bytes, and a vector takes them");
    }
}

/// The answer that a child has left; `None` if it did not finish it.
pub(crate) fn find<V: DeserializeOwned>(on: BorrowedFd<'_>) -> io::Result<Option<Answer<V>>> {
    let bytes = paper::read(on)?;
    let Some((len, answer)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
    if u64::from_le_bytes(*len) != answer.len() as u64 {
        return Ok(None);
    }
    let answer = postcard::from_bytes(answer);
    Ok(Some(answer.unwrap_or_else(|error| Answer::Nothing(error.to_string()))))
}
