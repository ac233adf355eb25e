use std::borrow::Borrow;
use std::sync::Arc;

use process::Target;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{self, Failure, Packer};
use crate::engine::Want;
use crate::job::{Job, Load, parts};
use crate::result::read_all;
use crate::{AsyncResult, Error, Imap, Pool};

/// A pool's mapping methods with a chunk size of your own.
///
/// Unlike the [`Pool`]'s, which choose it (four chunks for each worker in `map`, one task in
/// `imap`), these send so many tasks as one: they travel together, run one after the other in one
/// worker, and if that is killed they fail together.
#[derive(Debug, Clone, Copy)]
pub struct Chunks<'p> {
    pub(crate) pool: &'p Pool,
    pub(crate) size: Option<usize>,
}

/// So many bytes of arguments are submitted at once.
const PORTION: usize = 32 << 10;
/// A chunk as large as this waits to be packed until there is a worker for it soon.
const LARGE: usize = 256 << 10;

impl<'p> Chunks<'p> {
    /// See [`Pool::map`].
    ///
    /// # Errors
    ///
    /// The first task's that failed; [`Error::EmptyChunks`] at a chunk size of zero.
    pub fn map<A, F, I>(self, function: F, inputs: I) -> Result<Vec<F::Output>, Error>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: Borrow<A>>,
    {
        let entry = chunk::entry::<F, (A,)>(function);
        let job = self.send(entry, inputs, pack_one::<A, _>, true)?;
        self.pool.wait(Want::Job(&job))?;
        read_all(&job)
    }

    /// See [`Pool::map_async`]. An error at once is an error of the result, too.
    pub fn map_async<A, F, I>(self, function: F, inputs: I) -> AsyncResult<Vec<F::Output>>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: Borrow<A>>,
    {
        let entry = chunk::entry::<F, (A,)>(function);
        let job = self.send(entry, inputs, pack_one::<A, _>, false).unwrap_or_else(|error| {
            let job = Job::single(None);
            job.settle(0, Err(error));
            job
        });
        self.pool.result(job, read_all)
    }

    /// See [`Pool::starmap`].
    ///
    /// # Errors
    ///
    /// As [`map`](Chunks::map).
    pub fn starmap<Args, F, I>(self, function: F, inputs: I) -> Result<Vec<F::Output>, Error>
    where
        F: Target<Args>,
        Args: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item = Args>,
    {
        let entry = chunk::entry::<F, Args>(function);
        let job = self.send(entry, inputs, pack::<Args>, true)?;
        self.pool.wait(Want::Job(&job))?;
        read_all(&job)
    }

    /// See [`Pool::imap`].
    pub fn imap<A, F, I>(self, function: F, inputs: I) -> Imap<'p, I::IntoIter, F::Output>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: Borrow<A>>,
    {
        Imap::new(
            self,
            chunk::entry::<F, (A,)>(function),
            inputs.into_iter(),
            pack_one::<A, _>,
            true,
        )
    }

    /// See [`Pool::imap_unordered`].
    pub fn imap_unordered<A, F, I>(self, function: F, inputs: I) -> Imap<'p, I::IntoIter, F::Output>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: Borrow<A>>,
    {
        Imap::new(
            self,
            chunk::entry::<F, (A,)>(function),
            inputs.into_iter(),
            pack_one::<A, _>,
            false,
        )
    }

    /// Serialises the inputs, and submits them as they come: the first tasks run while the last ones
    /// are packed, and large ones don't pile up.
    fn send<I: IntoIterator>(
        self,
        entry: [u8; 16],
        inputs: I,
        add: impl Fn(&mut Packer, &I::Item, &mut Vec<u8>),
        patient: bool,
    ) -> Result<Arc<Job>, Error> {
        let mut inputs = inputs.into_iter();
        let size = match (self.size, inputs.size_hint()) {
            (Some(0), _) => return Err(Error::EmptyChunks),
            (Some(size), _) => size,
            (None, (len, Some(most))) if len == most => self.share(len),
            (None, _) => {
                let inputs: Vec<I::Item> = inputs.collect();
                let size = Some(self.share(inputs.len()));
                return Chunks { size, ..self }.send(entry, inputs, add, patient);
            }
        };
        let job = Job::open(None);
        let (mut packer, mut bytes, mut ends) = (Packer::default(), Vec::new(), Vec::new());
        let mut ended = false;
        while !ended {
            inputs.by_ref().take(size).for_each(|input| add(&mut packer, &input, &mut bytes));
            ended = packer.count() < size;
            if packer.count() > 0 {
                packer.close(&mut bytes);
                ends.push(bytes.len());
            }
            if bytes.len() >= PORTION || ended && !ends.is_empty() {
                let large = ends.len() == 1 && bytes.len() > LARGE;
                let spare = self.pool.pump.spare.clone();
                let load = Load { job: job.clone(), entry, bytes, spare };
                self.pool.submit_some(parts(load, &ends), patient);
                ends.clear();
                if large && patient {
                    self.pool.wait(Want::Few(&job, 2 * self.pool.processes))?;
                }
                bytes = self.pool.pump.spare.take();
            }
        }
        job.close();
        Ok(job)
    }

    /// Four chunks for each worker: few enough to travel cheaply, and enough that a worker that got
    /// easy ones takes over more.
    fn share(self, len: usize) -> usize {
        len.div_ceil(4 * self.pool.processes).max(1)
    }
}

fn pack_one<A: Serialize, T: Borrow<A>>(packer: &mut Packer, input: &T, bytes: &mut Vec<u8>) {
    packer.add(input.borrow(), Failure::Arguments, bytes);
}

fn pack<Args: Serialize>(packer: &mut Packer, input: &Args, bytes: &mut Vec<u8>) {
    packer.add(input, Failure::Arguments, bytes);
}
