use std::io;
use std::os::fd::BorrowedFd;

use serde::{Deserialize, Serialize};

use crate::paper;

/// Why a child's function gave no value, in the child's own words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Problem {
    Panicked {
        message: String,
        place: String,
    },
    /// It returned, or was not called; in any case nothing could cross.
    NotTransferred(String),
}

impl Problem {
    /// The exit code that goes with it.
    pub(crate) fn code(&self) -> i32 {
        match self {
            // As of a `main` that panics.
            Problem::Panicked { .. } => 101,
            Problem::NotTransferred(_) => 1,
        }
    }
}

/// What a child leaves: the bytes of its function's value, or a problem.
pub(crate) type Answer = Result<Vec<u8>, Problem>;

/// An answer is finished when it is signed: a child that is killed while it writes leaves none. The
/// signature tells the kinds apart, so that the value of a function that returns nothing has no
/// bytes to be written.
const VALUE: i64 = 1;
const PROBLEM: i64 = 2;

/// Writes it, and gives the exit code.
#[inline]
pub(crate) fn leave(on: BorrowedFd<'_>, answer: &Answer) -> i32 {
    let written = match answer {
        Ok(value) => paper::write(on, value).and_then(|()| paper::sign(on, VALUE)).map(|()| 0),
        Err(problem) => describe(on, problem),
    };
    written.unwrap_or_else(|error| {
        // Maybe there is room for the reason.
        let problem = Problem::NotTransferred(format!("there is no room for it: {error}"));
        let _ = paper::erase(on).and_then(|()| describe(on, &problem));
        problem.code()
    })
}

fn describe(on: BorrowedFd<'_>, problem: &Problem) -> io::Result<i32> {
    paper::write(on, &postcard::to_stdvec(problem).map_err(io::Error::other)?)?;
    paper::sign(on, PROBLEM)?;
    Ok(problem.code())
}

/// The answer that a child has left; `None` if it did not finish it.
pub(crate) fn find(on: BorrowedFd<'_>) -> io::Result<Option<Answer>> {
    Ok(match paper::signed(on)? {
        VALUE => Some(Ok(paper::read(on)?)),
        PROBLEM => Some(Err(postcard::from_bytes(&paper::read(on)?).map_err(io::Error::other)?)),
        _ => None,
    })
}
