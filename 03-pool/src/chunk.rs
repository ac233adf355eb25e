use std::cell::Cell;
use std::iter::Peekable;
use std::marker::PhantomData;
use std::vec::IntoIter;

use postcard::Deserializer;
use postcard::de_flavors::Slice;
use postcard::ser_flavors::Flavor;
use process::{Entry, Target, Task};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::panics::{self, Panic};

/// What a worker runs: one function, on one or many arguments in a row.
///
/// Unlike `process`, where each function comes with its process, here the process is there first:
/// the function reaches it as an [`Entry`], and the arguments as bytes.
pub(crate) struct Chunk<F, Args>(F, PhantomData<fn(Args)>);

impl<F: Copy, Args> Clone for Chunk<F, Args> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F: Copy, Args> Copy for Chunk<F, Args> {}

/// The code that runs `function` on a chunk of arguments.
pub(crate) fn entry<F, Args>(function: F) -> [u8; 16]
where
    F: Target<Args>,
    Args: DeserializeOwned + 'static,
{
    thread_local! {
        /// The last one, since its checksum takes a while, and one function is called many times.
        static LAST: Cell<Option<(Entry, [u8; 16])>> = const { Cell::new(None) };
    }
    let entry = Entry::of(Chunk(function, PhantomData));
    match LAST.get() {
        Some((last, bytes)) if last == entry => bytes,
        _ => {
            let bytes = entry.to_bytes();
            LAST.set(Some((entry, bytes)));
            bytes
        }
    }
}

impl<F: Target<Args>, Args: DeserializeOwned + 'static> Task for Chunk<F, Args> {
    fn run(self, input: &[u8], output: &mut Vec<u8>) {
        let Some(mut inputs) = Unpacker::open(input) else { return };
        let mut answers = Packer::default();
        // Caught around many tasks, and not around each: most don't panic. After one that did, it
        // goes on with the next.
        while inputs.left() > 0 {
            let mut start = output.len();
            let go_on = || {
                while let Some(args) = inputs.next::<Args>(Failure::Arguments) {
                    match args {
                        Ok(args) => answers.add(&self.0.call(args), Failure::Result, output),
                        Err(failure) => answers.fail(failure),
                    }
                    start = output.len();
                }
            };
            if let Err(panic) = panics::catch(go_on) {
                output.truncate(start);
                // Or it was in the last value's destructor, and that has its answer already.
                answers.count = inputs.taken - 1;
                answers.fail(Failure::Panicked(panic));
            }
        }
        answers.close(output);
    }
}

/// Why there is no value where one should be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Failure {
    Panicked(Panic),
    Arguments(String),
    Result(String),
}

impl Failure {
    pub(crate) fn into_error(self, pid: i32) -> Error {
        match self {
            Failure::Panicked(Panic { message, place }) => Error::Panicked { pid, message, place },
            Failure::Arguments(reason) => Error::Arguments { reason },
            Failure::Result(reason) => Error::Result { reason },
        }
    }
}

/// Writes the arguments of a chunk, or its results, one after the other behind what is there already.
///
/// Between the values there is nothing. What went wrong in the place of one comes last, most often
/// nothing: it is that task's alone.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    count: u32,
    failed: Vec<(u32, Failure)>,
}

impl Packer {
    /// `why` it failed, if it can't be serialised.
    #[inline]
    pub(crate) fn add(
        &mut self,
        value: &(impl Serialize + ?Sized),
        why: fn(String) -> Failure,
        bytes: &mut Vec<u8>,
    ) {
        let start = bytes.len();
        match append(value, bytes) {
            Ok(()) => self.count += 1,
            Err(error) => {
                bytes.truncate(start);
                self.fail(why(error.to_string()));
            }
        }
    }

    #[cold]
    fn fail(&mut self, failure: Failure) {
        self.failed.push((self.count, failure));
        self.count += 1;
    }

    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    /// Completes the chunk.
    pub(crate) fn close(&mut self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let Packer { count, failed } = std::mem::take(self);
        if !failed.is_empty() {
            // Text into memory: nothing can be refused.
            let _ = append(&failed, bytes);
        }
        let len = (bytes.len() - start) as u64;
        bytes.extend_from_slice(&(len << 32 | u64::from(count)).to_le_bytes());
    }
}

/// Reads what a [`Packer`] wrote, at the other side.
pub(crate) struct Unpacker<'a> {
    values: Deserializer<'a, Slice<'a>>,
    failed: Peekable<IntoIter<(u32, Failure)>>,
    count: u32,
    /// Those that `next` has given.
    taken: u32,
    /// Where the next value begins is not known: the last one was no value, or it panicked.
    lost: bool,
}

impl<'a> Unpacker<'a> {
    /// `None` if it is no chunk.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Unpacker<'a>> {
        let (bytes, last) = bytes.split_last_chunk::<8>()?;
        let last = u64::from_le_bytes(*last);
        let middle = bytes.len().checked_sub((last >> 32) as usize)?;
        let (values, failed) = bytes.split_at(middle);
        let failed: Vec<_> =
            if failed.is_empty() { Vec::new() } else { postcard::from_bytes(failed).ok()? };
        Some(Unpacker {
            values: Deserializer::from_bytes(values),
            failed: failed.into_iter().peekable(),
            count: last as u32,
            taken: 0,
            lost: false,
        })
    }

    pub(crate) fn left(&self) -> usize {
        (self.count - self.taken) as usize
    }

    /// The next value, or `why` it failed if it can't be read.
    #[inline]
    pub(crate) fn next<T: DeserializeOwned>(
        &mut self,
        why: fn(String) -> Failure,
    ) -> Option<Result<T, Failure>> {
        if self.taken == self.count {
            return None;
        }
        self.taken += 1;
        if self.failed.len() > 0
            && let Some((_, failure)) = self.failed.next_if(|(at, _)| *at + 1 == self.taken)
        {
            return Some(Err(failure));
        }
        if std::mem::replace(&mut self.lost, true) {
            return Some(Err(why("what was before them could not be read".to_owned())));
        }
        let value = T::deserialize(&mut self.values)
            .map_err(|error| why(format!("arrived as something else: {error}")));
        self.lost = value.is_err();
        Some(value)
    }
}

/// The answers of a chunk.
pub(crate) fn open(bytes: &[u8]) -> Result<Unpacker<'_>, Failure> {
    Unpacker::open(bytes).ok_or_else(|| Failure::Result("it is empty".to_owned()))
}

/// The answer of a chunk of one.
pub(crate) fn only<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let nothing = || Err(Failure::Result("it is empty".to_owned()));
    open(bytes)?.next(Failure::Result).unwrap_or_else(nothing)
}

/// The serialiser's output at the end of a vector. The one that comes with postcard takes a vector
/// and gives it back; this one writes thousands of values into the same.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline(always)]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline(always)]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        // Most numbers are as short as this, and then to call memcpy takes longer than to copy them.
        match *bytes {
            [a] => self.0.push(a),
            [a, b] => self.0.extend_from_slice(&[a, b]),
            [a, b, c] => self.0.extend_from_slice(&[a, b, c]),
            [a, b, c, d] => self.0.extend_from_slice(&[a, b, c, d]),
            [a, b, c, d, e] => self.0.extend_from_slice(&[a, b, c, d, e]),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[inline(always)]
fn append(value: &(impl Serialize + ?Sized), to: &mut Vec<u8>) -> postcard::Result<()> {
    postcard::serialize_with_flavor(value, Append(to))
}
