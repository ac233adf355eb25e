use std::borrow::Borrow;

use process::Target;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{self, Packer};
use crate::job::{Job, Load, parts};
use crate::pool::read_all;
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
        let load = self.pack(inputs, |packer, input, bytes| packer.add(input.borrow(), bytes))?;
        self.run(chunk::entry::<F, (A,)>(function), load)
    }

    /// See [`Pool::map_async`]. An error at once is an error of the result, too.
    pub fn map_async<A, F, I>(self, function: F, inputs: I) -> AsyncResult<Vec<F::Output>>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: Borrow<A>>,
    {
        let load = self.pack(inputs, |packer, input, bytes| packer.add(input.borrow(), bytes));
        let job = match load {
            Ok((bytes, ends)) => {
                let job = Job::new(ends.len(), None);
                let entry = chunk::entry::<F, (A,)>(function);
                self.pool.submit(parts(Load { job: job.clone(), entry, bytes }, &ends), false);
                job
            }
            Err(error) => {
                let job = Job::new(1, None);
                job.settle(0, Err(error));
                job
            }
        };
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
        let load = self.pack(inputs, |packer, input, bytes| packer.add(&input, bytes))?;
        self.run(chunk::entry::<F, Args>(function), load)
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

    /// All inputs, serialised one after the other, and where each chunk ends.
    fn pack<I: IntoIterator>(
        self,
        inputs: I,
        add: impl Fn(&mut Packer, &I::Item, &mut Vec<u8>),
    ) -> Result<(Vec<u8>, Vec<usize>), Error> {
        let inputs = inputs.into_iter();
        let size = match (self.size, inputs.size_hint()) {
            (Some(0), _) => return Err(Error::EmptyChunks),
            (Some(size), _) => size,
            (None, (len, Some(most))) if len == most => self.share(len),
            (None, _) => {
                let inputs: Vec<I::Item> = inputs.collect();
                return Chunks { size: Some(self.share(inputs.len())), ..self }.pack(inputs, add);
            }
        };
        let (mut bytes, mut ends, mut packer) = (Vec::new(), Vec::new(), Packer::default());
        for input in inputs {
            add(&mut packer, &input, &mut bytes);
            if packer.count() as usize == size {
                packer.close(&mut bytes);
                ends.push(bytes.len());
            }
        }
        if packer.count() > 0 {
            packer.close(&mut bytes);
            ends.push(bytes.len());
        }
        Ok((bytes, ends))
    }

    /// Four chunks for each worker: few enough to travel cheaply, and enough that a worker that got
    /// easy ones takes over more.
    fn share(self, len: usize) -> usize {
        len.div_ceil(4 * self.pool.processes).max(1)
    }

    fn run<R: DeserializeOwned>(
        self,
        entry: [u8; 16],
        (bytes, ends): (Vec<u8>, Vec<usize>),
    ) -> Result<Vec<R>, Error> {
        let job = Job::new(ends.len(), None);
        let parts = parts(Load { job: job.clone(), entry, bytes }, &ends);
        self.pool.submit_and_wait(&job, parts)?;
        read_all(&job)
    }
}

fn pack_one<A: Serialize, T: Borrow<A>>(packer: &mut Packer, input: &T, bytes: &mut Vec<u8>) {
    packer.add(input.borrow(), bytes);
}
