use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::sync::atomic::{AtomicU64, fence};

use process::{Entry, PrivateFd, SharedWords, Tether, handed_over};
use serde::{Deserialize, Serialize};

use crate::chunk;
use crate::link::{self, AnswerHead, TaskHead};
use crate::panics;
use crate::ring::{Reader, Writer};
use crate::spin::Spin;

/// What every worker does first: a function and its arguments.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Initializer(pub Option<([u8; 16], Vec<u8>)>);

/// The function of a worker's process. Returns when its pool has closed.
pub(crate) fn work(initializer: Initializer) {
    if let Some(worker) = Worker::new(handed_over()) {
        worker.run(&initializer);
    }
}

struct Worker {
    words: SharedWords,
    /// An eventfd that the pool writes to when this worker sleeps.
    bell: PrivateFd,
    /// A pipe that wakes the pool; its end, when this process ends, is seen there, too.
    pool: PrivateFd,
    tasks: Reader,
    tasks_bulk: Reader,
    answers: Writer,
    answers_bulk: Writer,
    answered: u64,
    /// The last entry that was looked up, as it came: the next task is most often for the same.
    known: Option<([u8; 16], Entry)>,
}

impl Worker {
    fn new(fds: Vec<OwnedFd>) -> Option<Worker> {
        let [bell, pool, tether, words] = fds.try_into().ok()?;
        Tether::from(tether).die_when_cut().ok()?;
        // Private: a process that a task starts must not keep the pool from seeing this one's end.
        let [bell, pool] = PrivateFd::open(|| Ok([bell, pool])).ok()?;
        Some(Worker {
            words: SharedWords::from_fd(words).ok()?,
            bell,
            pool,
            tasks: Reader::new(link::TASKS),
            tasks_bulk: Reader::new(link::TASKS_BULK),
            answers: Writer::new(link::ANSWERS),
            answers_bulk: Writer::new(link::ANSWERS_BULK),
            answered: 0,
            known: None,
        })
    }

    fn run(mut self, initializer: &Initializer) {
        panics::keep_those_of_tasks();
        let mut output = Vec::new();
        if let Some((entry, input)) = &initializer.0 {
            self.call(*entry, input, &mut output);
            if chunk::only::<()>(&output).is_err() {
                self.answer(&output, true);
                return;
            }
        }
        self.word(link::BEGUN).store(1, SeqCst);
        let mut input = Vec::new();
        while let Some(head) = self.next_task(&mut input) {
            if !link::claim(self.word(link::CLAIMS), head.epoch) {
                continue; // taken back: somebody else runs it
            }
            output.clear();
            self.call(head.entry, &input[..head.len], &mut output);
            self.answered += 1;
            self.answer(&output, false);
            let wanted = self.word(link::WAKE_AT).load(SeqCst);
            if wanted != 0 && self.answered >= wanted {
                self.wake_pool();
            }
        }
    }

    fn call(&mut self, entry: [u8; 16], input: &[u8], output: &mut Vec<u8>) {
        let known = match self.known {
            Some((bytes, known)) if bytes == entry => Some(known),
            _ => Entry::from_bytes(entry),
        };
        if let Some(found) = known {
            self.known = Some((entry, found));
            found.run(input, output);
        }
    }

    /// Waits for a task, and takes it off the ring; `None` when no more will come.
    fn next_task(&mut self, input: &mut Vec<u8>) -> Option<TaskHead> {
        self.wait(link::FOR_TASKS, |worker| !worker.tasks.is_empty(&worker.words))?;
        let mut head = [0; TaskHead::BYTES];
        self.tasks.read(&self.words, &mut head);
        let head = TaskHead::from_bytes(head);
        if input.len() < head.len {
            // Kept at its largest, so that the kernel's pages are asked for once.
            input.resize(head.len, 0);
        }
        let into = &mut input[..head.len];
        if head.len <= link::LARGE {
            self.tasks.read(&self.words, into);
            self.tasks.release(&self.words);
            return Some(head);
        }
        self.tasks.release(&self.words);
        self.tasks_bulk.start_at(head.start);
        let mut done = 0;
        loop {
            done += self.tasks_bulk.read(&self.words, &mut into[done..]);
            self.tasks_bulk.release(&self.words);
            if done == into.len() {
                return Some(head);
            }
            self.wait(link::FOR_TASKS, |worker| !worker.tasks_bulk.is_empty(&worker.words))?;
        }
    }

    fn answer(&mut self, output: &[u8], not_begun: bool) {
        if self.try_answer(output, not_begun).is_some() {
            // Before the look at WAKE_AT: the pool writes that and then looks for answers, and one of
            // the two must see the other's.
            fence(SeqCst);
        }
    }

    /// Writes an answer into memory that outlives this process: if it is killed in the next task, it
    /// has given this answer. `None` if the pool has closed before there was room.
    fn try_answer(&mut self, output: &[u8], not_begun: bool) -> Option<()> {
        let (len, large) = (output.len(), output.len() > link::LARGE);
        let small = if large { 0 } else { len.next_multiple_of(8) };
        let needed = AnswerHead::BYTES + small;
        self.wait(link::FOR_ROOM, |worker| worker.answers.room(&worker.words, needed) >= needed)?;
        self.answers_bulk.restart_if_empty(&self.words);
        let head = AnswerHead { len, not_begun, start: self.answers_bulk.position() };
        self.answers.write(&self.words, &head.to_bytes());
        if !large {
            self.answers.write(&self.words, output);
            self.answers.publish(&self.words);
            return Some(());
        }
        self.answers.publish(&self.words);
        let mut done = self.answers_bulk.write(&self.words, output);
        self.answers_bulk.publish(&self.words);
        while done < len {
            self.wait(link::FOR_ROOM, |worker| worker.answers_bulk.room(&worker.words, 8) > 0)?;
            done += self.answers_bulk.write(&self.words, &output[done..]);
            self.answers_bulk.publish(&self.words);
        }
        Some(())
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        &self.words[index]
    }

    fn wake_pool(&self) {
        if self.word(link::WAKE_AT).swap(0, SeqCst) != 0
            && let Ok(fd) = self.pool.fd()
        {
            // It can't be full: the pool asks anew only after it has read. Nor is a pool that is gone
            // an error; the tether ends this process.
            let _ = nix::unistd::write(fd, &[0]);
        }
    }

    /// Waits until the pool has done what `ready` looks for; `None` when it has closed instead.
    fn wait(&mut self, why: u64, mut ready: impl FnMut(&mut Worker) -> bool) -> Option<()> {
        if ready(self) {
            return Some(());
        }
        // The pool may wait for room, for more answers, or for something to do for this worker.
        fence(SeqCst);
        if self.word(link::WAKE_AT).load(Relaxed) != 0 {
            self.wake_pool();
        }
        let mut spin = Spin::default();
        while spin.turn() {
            if ready(self) {
                return Some(());
            }
        }
        loop {
            // Said before the last look: the pool does its part and then looks here, so either this
            // look sees it, or the pool sees a sleeper and rings.
            self.word(link::ASLEEP).store(why, SeqCst);
            fence(SeqCst);
            let closed = self.word(link::CLOSED).load(Acquire) != 0;
            if ready(self) {
                self.word(link::ASLEEP).store(0, Relaxed);
                return Some(());
            }
            if closed {
                return None;
            }
            let mut rings = [0; 8];
            // EINTR, or a ring that was meant for a former sleep: look again.
            let _ = nix::unistd::read(self.bell.fd().ok()?, &mut rings);
        }
    }
}
