use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// What a caller waits for: a call, or all chunks of a map.
pub(crate) struct Job {
    progress: Mutex<Progress>,
    done: AtomicBool,
}

/// Run when the job is done, by the pool's own thread.
pub(crate) type Callback = Box<dyn FnOnce(&Job) + Send>;

#[derive(Default)]
struct Progress {
    left: usize,
    answers: Vec<Answer>,
    /// The small answers, one after the other: thousands of them don't cost an allocation each.
    bytes: Vec<u8>,
    callback: Option<Callback>,
}

#[derive(Default)]
enum Answer {
    #[default]
    Pending,
    Small(i32, Range<usize>),
    Large(i32, Vec<u8>),
    Failed(Box<Error>),
}

/// Above this an answer's own vector is kept, instead of a copy of its bytes.
const LARGE: usize = 16 << 10;

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("done", &self.done).finish_non_exhaustive()
    }
}

impl Job {
    /// A job of so many parts. Of none, it is done at once.
    pub(crate) fn new(parts: usize, callback: Option<Callback>) -> Arc<Job> {
        let mut answers = Vec::new();
        answers.resize_with(parts, Answer::default);
        let progress = Progress { left: parts, answers, callback, ..Progress::default() };
        Arc::new(Job { progress: Mutex::new(progress), done: AtomicBool::new(parts == 0) })
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Acquire)
    }

    /// The callback, for the one who is to run it.
    pub(crate) fn take_callback(&self) -> Option<Callback> {
        self.progress().callback.take()
    }

    /// Takes in what became of a part. True when it was the last one.
    pub(crate) fn settle(&self, part: u32, outcome: Result<(i32, &mut Vec<u8>), Error>) -> bool {
        let mut progress = self.progress();
        let answer = match outcome {
            Err(error) => Answer::Failed(Box::new(error)),
            Ok((pid, bytes)) if bytes.len() >= LARGE => Answer::Large(pid, std::mem::take(bytes)),
            Ok((pid, bytes)) => {
                let start = progress.bytes.len();
                progress.bytes.extend_from_slice(bytes);
                Answer::Small(pid, start..progress.bytes.len())
            }
        };
        progress.answers[part as usize] = answer;
        progress.left -= 1;
        let done = progress.left == 0;
        if done {
            self.done.store(true, Release);
        }
        done
    }

    /// Gives every part's answer, in the order of the parts, and the pid of the worker it came from.
    pub(crate) fn read<T>(
        &self,
        mut each: impl FnMut(Result<(i32, &[u8]), Error>) -> Result<(), T>,
    ) -> Result<(), T> {
        let progress = self.progress();
        for answer in &progress.answers {
            each(match answer {
                Answer::Pending => continue,
                Answer::Small(pid, range) => Ok((*pid, &progress.bytes[range.clone()])),
                Answer::Large(pid, bytes) => Ok((*pid, bytes)),
                Answer::Failed(error) => Err((**error).clone()),
            })?;
        }
        Ok(())
    }
}

/// The arguments of a job, or of a chunk of an endless one, and the code to run on them.
#[derive(Debug)]
pub(crate) struct Load {
    pub job: Arc<Job>,
    pub entry: [u8; 16],
    pub bytes: Vec<u8>,
}

/// What goes to one worker as one: a task, in the pool's sense of the word.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub load: Arc<Load>,
    pub number: u32,
    pub range: Range<usize>,
    /// How often it was begun by a worker that died.
    pub deaths: u32,
}

impl Part {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.load.bytes[self.range.clone()]
    }
}

/// The parts of a load that holds several.
pub(crate) fn parts(load: Load, ends: &[usize]) -> VecDeque<Part> {
    let load = Arc::new(load);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let ranges = starts.zip(ends).map(|(start, &end)| start..end);
    (0..)
        .zip(ranges)
        .map(|(number, range)| Part { load: load.clone(), number, range, deaths: 0 })
        .collect()
}
