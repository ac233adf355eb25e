use std::cell::Cell;
use std::iter::Peekable;
use std::marker::PhantomData;
use std::vec::IntoIter;

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

// The first byte of each answer in a chunk.
const VALUE: u8 = 0;
const PANICKED: u8 = 1;
const ARGUMENTS: u8 = 2;
const RESULT: u8 = 3;

impl<F: Target<Args>, Args: DeserializeOwned + 'static> Task for Chunk<F, Args> {
    fn run(self, input: &[u8], output: &mut Vec<u8>) {
        let Some(mut packed) = Packed::open(input) else { return };
        // Caught around many tasks, and not around each: most don't panic. After one that did, it
        // goes on with the next.
        while packed.done < packed.count {
            let mut start = output.len();
            if let Err(panic) = panics::catch(|| self.go_on(&mut packed, output, &mut start)) {
                output.truncate(start);
                fail(output, PANICKED, &panic);
                packed.done += 1;
                if packed.taken < packed.done {
                    packed.lose_the_rest("those before them panicked", output);
                }
            }
        }
    }
}

impl<F: Target<Args>, Args: DeserializeOwned> Chunk<F, Args> {
    /// Runs what is left, and writes each answer where `start` says.
    fn go_on(self, packed: &mut Packed<'_>, output: &mut Vec<u8>, start: &mut usize) {
        while packed.done < packed.count {
            *start = output.len();
            if let Some(reason) = packed.refusal() {
                fail(output, ARGUMENTS, &reason);
            } else {
                match postcard::take_from_bytes::<Args>(packed.arguments) {
                    Ok((args, rest)) => {
                        (packed.arguments, packed.taken) = (rest, packed.done + 1);
                        output.push(VALUE);
                        if let Err(error) = append(&self.0.call(args), output) {
                            output.truncate(*start);
                            fail(output, RESULT, &error.to_string());
                        }
                    }
                    Err(error) => {
                        let reason = format!("they arrived as something else: {error}");
                        return packed.lose_the_rest(&reason, output);
                    }
                }
            }
            packed.done += 1;
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

/// A chunk as it arrives.
struct Packed<'a> {
    arguments: &'a [u8],
    /// Which could not be serialised, and why.
    refused: Peekable<IntoIter<(u32, String)>>,
    count: u32,
    /// Tasks that have their answer.
    done: u32,
    /// Tasks whose arguments were read.
    taken: u32,
}

impl<'a> Packed<'a> {
    fn open(bytes: &'a [u8]) -> Option<Packed<'a>> {
        let (bytes, last) = bytes.split_last_chunk::<8>()?;
        let last = u64::from_le_bytes(*last);
        let middle = bytes.len().checked_sub((last >> 32) as usize)?;
        let (arguments, refused) = bytes.split_at(middle);
        let refused: Vec<_> = postcard::from_bytes(refused).ok()?;
        let refused = refused.into_iter().peekable();
        Some(Packed { arguments, refused, count: last as u32, done: 0, taken: 0 })
    }

    /// Why the next task's arguments did not come, if they did not.
    #[inline]
    fn refusal(&mut self) -> Option<String> {
        self.refused.peek()?; // most often there is none at all
        let (_, reason) = self.refused.next_if(|(at, _)| *at == self.done)?;
        self.taken = self.done + 1;
        Some(reason)
    }

    /// Where the next arguments begin is not known any more.
    fn lose_the_rest(&mut self, reason: &str, output: &mut Vec<u8>) {
        (self.done..self.count).for_each(|_| fail(output, ARGUMENTS, reason));
        self.done = self.count;
    }
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
        if bytes.len() <= 10 {
            // A number: to call memcpy for a byte or two takes longer than to copy them.
            self.0.extend(bytes.iter().copied());
        } else {
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[inline]
fn append(value: &(impl Serialize + ?Sized), to: &mut Vec<u8>) -> postcard::Result<()> {
    postcard::serialize_with_flavor(value, Append(to))
}
