use std::marker::PhantomData;

use postcard::ser_flavors::Flavor;
use process::{Entry, Target, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    Entry::of(Chunk(function, PhantomData)).to_bytes()
}

// The first byte of each answer in a chunk.
const VALUE: u8 = 0;
const PANICKED: u8 = 1;
const ARGUMENTS: u8 = 2;
const RESULT: u8 = 3;

impl<F: Target<Args>, Args: DeserializeOwned + 'static> Task for Chunk<F, Args> {
    fn run(self, input: &[u8], output: &mut Vec<u8>) {
        let Some((mut arguments, refused, count)) = open(input) else { return };
        let mut refused = refused.into_iter().peekable();
        for index in 0..count {
            if let Some((_, reason)) = refused.next_if(|(at, _)| *at == index) {
                fail(output, ARGUMENTS, &reason);
                continue;
            }
            match postcard::take_from_bytes::<Args>(arguments) {
                Err(error) => {
                    // Where the next one begins is not known any more.
                    let reason = format!("they arrived as something else: {error}");
                    (index..count).for_each(|_| fail(output, ARGUMENTS, &reason));
                    return;
                }
                Ok((args, rest)) => {
                    arguments = rest;
                    self.one(args, output);
                }
            }
        }
    }
}

impl<F: Target<Args>, Args> Chunk<F, Args> {
    fn one(self, args: Args, output: &mut Vec<u8>) {
        let start = output.len();
        output.push(VALUE);
        // The result's own code for serialising is the task's code, too: it may panic.
        let ended = panics::catch(|| append(&self.0.call(args), output));
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                output.truncate(start);
                fail(output, RESULT, &error.to_string());
            }
            Err(panic) => {
                output.truncate(start);
                fail(output, PANICKED, &panic);
            }
        }
    }
}

fn fail(output: &mut Vec<u8>, tag: u8, why: &(impl Serialize + ?Sized)) {
    output.push(tag);
    // Text into memory: nothing can be refused.
    let _ = append(why, output);
}

/// Writes the arguments of a chunk, one after the other, behind what is there already.
///
/// What can't be serialised takes its place as an error: it is that task's alone.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    count: u32,
    refused: Vec<(u32, String)>,
}

impl Packer {
    pub(crate) fn add(&mut self, args: &(impl Serialize + ?Sized), bytes: &mut Vec<u8>) {
        let start = bytes.len();
        if let Err(error) = append(args, bytes) {
            bytes.truncate(start);
            self.refused.push((self.count, error.to_string()));
        }
        self.count += 1;
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Completes the chunk. The list of what was refused, most often empty, comes last, as it is
    /// known last.
    pub(crate) fn close(&mut self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let Packer { count, refused } = std::mem::take(self);
        let _ = append(&refused, bytes);
        let len = (bytes.len() - start) as u64;
        bytes.extend_from_slice(&(len << 32 | u64::from(count)).to_le_bytes());
    }
}

/// A chunk's arguments, what was refused of them, and how many they are.
fn open(bytes: &[u8]) -> Option<(&[u8], Vec<(u32, String)>, u32)> {
    let (bytes, last) = bytes.split_last_chunk::<8>()?;
    let last = u64::from_le_bytes(*last);
    let (arguments, refused) = bytes.split_at_checked(bytes.len() - (last >> 32) as usize)?;
    Some((arguments, postcard::from_bytes(refused).ok()?, last as u32))
}

/// Takes the next answer of a chunk off the front of `bytes`.
pub(crate) fn take_answer<R: DeserializeOwned>(bytes: &mut &[u8], pid: i32) -> Result<R, Error> {
    let wrong = |error: String| Error::Result { reason: error };
    let Some((&tag, rest)) = bytes.split_first() else {
        return Err(wrong("it is empty".to_owned()));
    };
    let refused = |error: postcard::Error| wrong(format!("it arrived as something else: {error}"));
    if tag == VALUE {
        let (value, rest) =
            postcard::take_from_bytes(rest).inspect_err(|_| *bytes = &[]).map_err(refused)?;
        *bytes = rest;
        return Ok(value);
    }
    if tag == PANICKED {
        let (Panic { message, place }, rest) = postcard::take_from_bytes(rest).map_err(refused)?;
        *bytes = rest;
        return Err(Error::Panicked { pid, message, place });
    }
    let (reason, rest) = postcard::take_from_bytes(rest).map_err(refused)?;
    *bytes = rest;
    Err(if tag == ARGUMENTS { Error::Arguments { reason } } else { wrong(reason) })
}

/// The serialiser's output at the end of a vector. The one that comes with postcard takes a vector
/// and gives it back; this one writes thousands of values into the same.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

fn append(value: &(impl Serialize + ?Sized), to: &mut Vec<u8>) -> postcard::Result<()> {
    postcard::serialize_with_flavor(value, Append(to))
}
