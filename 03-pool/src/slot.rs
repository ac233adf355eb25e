use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::fence;
use std::time::Instant;
use std::{fs, io};

use nix::fcntl::OFlag;
use nix::sys::eventfd::{EfdFlags, EventFd};
use process::{ExitStatus, Lifeline, PrivateFd, SharedWords, lifeline};

use crate::job::Part;
use crate::link::{self, AnswerHead, TaskHead};
use crate::ring::{Reader, Writer};
use crate::zygote::Zygote;

/// A worker as its pool sees it: the other ends of what it has, and the tasks that it was given.
#[derive(Debug)]
pub(crate) struct Slot {
    pub id: u64,
    /// 0 until the zygote has told it.
    pub pid: i32,
    words: SharedWords,
    bell: PrivateFd,
    /// Shared with the thread that polls it, maybe while another one removes this slot.
    pub waker: Arc<PrivateFd>,
    tether: Option<Lifeline>,
    tasks: Writer,
    tasks_bulk: Writer,
    answers: Reader,
    answers_bulk: Reader,
    /// Given and not answered, in the order in which the worker reads them.
    pub flight: VecDeque<Part>,
    /// The last one given, if it did not fit into the ring yet, and how much of it did.
    outgoing: Option<(Part, usize)>,
    incoming: Option<(AnswerHead, Vec<u8>, usize)>,
    epoch: u32,
    /// Tasks begun in former epochs.
    begun_before: u64,
    answered: u64,
    /// All that were given in this epoch, for the counter in the claim word is not endless.
    given: u32,
    /// How many tasks it had begun, and how much it had read, when that was last looked at.
    pub seen: Option<(u64, u64, Instant)>,
    /// It began nothing while others had nothing to do: stopped, perhaps. Until it is seen to live it
    /// is the last to be given anything.
    pub suspect: bool,
    /// The task that runs, by its number, and when that was first seen.
    pub running: Option<(u64, Instant)>,
    /// What a failed initializer left.
    pub not_begun: Option<Vec<u8>>,
    /// It had its last task, or is ended by us.
    pub retired: bool,
    pub timed_out: bool,
    /// Its end of the pipe is closed.
    pub hung_up: bool,
    /// Its zygote is gone: nobody will tell how it ended.
    pub orphan: bool,
    pub ended: Option<ExitStatus>,
}

/// So much of a large task is shown to the worker at a time, that it reads while we write.
const STEP: usize = 64 << 10;

impl Slot {
    /// Orders a new worker.
    pub(crate) fn order(id: u64, zygote: &Zygote) -> io::Result<Slot> {
        let (slot, its_waker, its_tether) = Slot::new(id)?;
        let (bell, words) = (slot.bell.fd()?, slot.words.fd());
        zygote.order(id, &[bell, its_waker.fd()?, its_tether.fd()?, words])?;
        Ok(slot)
    }

    /// The pool's side of a worker, and the ends that are only the worker's.
    fn new(id: u64) -> io::Result<(Slot, PrivateFd, PrivateFd)> {
        let words = SharedWords::new(link::WORDS)?;
        let [bell] = PrivateFd::open(|| {
            Ok([EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC)?.into()])
        })?;
        let [waker, its_waker] = PrivateFd::open(|| {
            let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
            Ok([read, write])
        })?;
        let (tether, its_tether) = lifeline()?;
        let slot = Slot {
            id,
            pid: 0,
            words,
            bell,
            waker: Arc::new(waker),
            tether: Some(tether),
            tasks: Writer::new(link::TASKS),
            tasks_bulk: Writer::new(link::TASKS_BULK),
            answers: Reader::new(link::ANSWERS),
            answers_bulk: Reader::new(link::ANSWERS_BULK),
            flight: VecDeque::new(),
            outgoing: None,
            incoming: None,
            epoch: 0,
            begun_before: 0,
            answered: 0,
            given: 0,
            seen: None,
            suspect: false,
            running: None,
            not_begun: None,
            retired: false,
            timed_out: false,
            hung_up: false,
            orphan: false,
            ended: None,
        };
        Ok((slot, its_waker, its_tether))
    }

    /// How much it has read of what is large, in words since the beginning.
    pub(crate) fn has_read(&self) -> u64 {
        self.words[link::TASKS_BULK.head].load(Relaxed)
    }

    /// Whether it may be given tasks before others; one that has read all that it was given lives.
    pub(crate) fn is_trusted(&mut self) -> bool {
        self.suspect = self.suspect && !self.tasks.is_read(&self.words);
        !self.suspect
    }

    /// Whether it can be given whatever there is: it has nothing, and has read what it once had.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.flight.is_empty()
            && self.outgoing.is_none()
            && self.tasks.is_read(&self.words)
            && self.tasks_bulk.is_read(&self.words)
            && !self.retired
            && !self.is_dead()
    }

    /// Whether a task is on its way in pieces.
    pub(crate) fn is_in_pieces(&self) -> bool {
        self.outgoing.is_some()
    }

    /// Puts a task into the ring, or gives it back if there is no room.
    pub(crate) fn give(&mut self, part: Part) -> Result<(), Part> {
        let (len, large) = (part.bytes().len(), part.bytes().len() > link::LARGE);
        let small = if large { 0 } else { len.next_multiple_of(8) };
        let needed = TaskHead::BYTES + small;
        if self.outgoing.is_some() || self.tasks.room(&self.words, needed) < needed {
            return Err(part);
        }
        // What is larger than the ring has it for itself, and flows through.
        if large
            && !self.tasks_bulk.restart_if_empty(&self.words)
            && self.tasks_bulk.room(&self.words, len) < len.next_multiple_of(8)
        {
            return Err(part);
        }
        let start = self.tasks_bulk.position();
        let head = TaskHead { len, epoch: self.epoch, entry: part.load.entry, start };
        self.tasks.write(&self.words, &head.to_bytes());
        if large {
            self.outgoing = Some((part.clone(), 0));
            // The worker may begin to read while the rest is written.
            self.publish();
            self.is_sending();
        } else {
            self.tasks.write(&self.words, part.bytes());
        }
        self.flight.push_back(part);
        self.given += 1;
        Ok(())
    }

    /// Whether a task waits for room; puts more of it into the ring.
    pub(crate) fn is_sending(&mut self) -> bool {
        while let Some((part, done)) = &mut self.outgoing {
            let rest = &part.bytes()[*done..];
            let more = self.tasks_bulk.write(&self.words, &rest[..rest.len().min(STEP)]);
            *done += more;
            if *done == part.bytes().len() {
                self.outgoing = None;
            }
            self.tasks_bulk.publish(&self.words);
            if more == 0 {
                return true;
            }
            self.wake(link::FOR_TASKS);
        }
        false
    }

    /// Shows the worker what it was given, and wakes it if it sleeps.
    pub(crate) fn publish(&mut self) {
        self.tasks.publish(&self.words);
        self.wake(link::FOR_TASKS);
    }

    /// Before the look at the sleeper: it says that it sleeps and then looks for tasks, and one of
    /// the two must see the other's.
    fn wake(&self, why: u64) {
        fence(SeqCst);
        let asleep = &self.words[link::ASLEEP];
        if asleep.load(Relaxed) == why && asleep.compare_exchange(why, 0, SeqCst, Relaxed).is_ok() {
            self.ring();
        }
    }

    fn ring(&self) {
        if let Ok(fd) = self.bell.fd() {
            let _ = nix::unistd::write(fd, &1_u64.to_ne_bytes());
        }
    }

    /// Whether there are answers to collect.
    pub(crate) fn has_answers(&mut self) -> bool {
        let bulk = self.incoming.is_some();
        let ring = if bulk { &mut self.answers_bulk } else { &mut self.answers };
        !ring.is_empty(&self.words)
    }

    /// Whether there is something to do: an answer, or room for what waits for it.
    pub(crate) fn has_work(&mut self) -> bool {
        self.has_answers() || self.outgoing.is_some() && self.tasks_bulk.room(&self.words, 8) > 0
    }

    /// Takes in all answers that there are, with the tasks that they answer.
    pub(crate) fn collect(
        &mut self,
        scratch: &mut Vec<u8>,
        mut each: impl FnMut(Part, &mut Vec<u8>),
    ) {
        while self.has_answers() {
            let (head, mut bytes, mut done) = match self.incoming.take() {
                Some(begun) => begun,
                None => {
                    let mut head = [0; AnswerHead::BYTES];
                    self.answers.read(&self.words, &mut head);
                    let mut bytes = std::mem::take(scratch);
                    bytes.clear();
                    let head = AnswerHead::from_bytes(head);
                    self.answers_bulk.start_at(head.start);
                    if bytes.try_reserve_exact(head.len).is_err() {
                        // No length that a worker in its right mind gives.
                        self.kill();
                        return;
                    }
                    bytes.resize(head.len, 0);
                    (head, bytes, 0)
                }
            };
            let large = head.len > link::LARGE;
            let ring = if large { &mut self.answers_bulk } else { &mut self.answers };
            done += ring.read(&self.words, &mut bytes[done..]);
            if large {
                self.answers_bulk.release(&self.words);
            }
            if done < head.len {
                self.incoming = Some((head, bytes, done));
                break;
            }
            if head.not_begun {
                self.not_begun = Some(bytes);
            } else if let Some(part) = self.flight.pop_front() {
                self.answered += 1;
                self.suspect = false;
                each(part, &mut bytes);
                *scratch = bytes;
            }
        }
        self.answers.release(&self.words);
        self.wake(link::FOR_ROOM);
    }

    pub(crate) fn begun(&self) -> u64 {
        self.begun_before + u64::from(link::begun(&self.words[link::CLAIMS]))
    }

    /// Whether it has come through its initializer.
    pub(crate) fn has_begun(&self) -> bool {
        self.words[link::BEGUN].load(SeqCst) != 0
    }

    /// Whether a task was begun and not answered.
    pub(crate) fn is_running(&self) -> bool {
        self.begun() > self.answered
    }

    /// Tasks that were given and not begun.
    pub(crate) fn waiting(&self) -> usize {
        self.flight.len().saturating_sub((self.begun() - self.answered) as usize)
    }

    /// Takes back every task that was not begun. What is left in flight is at most the one that
    /// runs, and those whose answers were not collected.
    pub(crate) fn take_back(&mut self) -> VecDeque<Part> {
        self.epoch = self.epoch.wrapping_add(1);
        let begun = link::take_back(&self.words[link::CLAIMS], self.epoch);
        self.begun_before += u64::from(begun);
        self.given = 0;
        self.seen = None;
        let kept = (self.begun_before - self.answered) as usize;
        self.flight.split_off(kept.min(self.flight.len()))
    }

    /// A new epoch in time, before the count of begun tasks would run over.
    pub(crate) fn is_worn(&self) -> bool {
        self.given > u32::MAX / 2
    }

    /// All tasks that it was ever given, less those taken back.
    pub(crate) fn had(&self) -> u64 {
        self.answered + self.flight.len() as u64
    }

    /// Asks to be woken when so many of the tasks in flight are answered.
    pub(crate) fn wake_me_after(&self, answers: usize) {
        self.words[link::WAKE_AT].store(self.answered + answers.max(1) as u64, SeqCst);
    }

    pub(crate) fn dont_wake_me(&self) {
        self.words[link::WAKE_AT].store(0, Relaxed);
    }

    /// Has it end when it has no more tasks.
    pub(crate) fn close(&mut self) {
        self.retired = true;
        self.words[link::CLOSED].store(1, SeqCst);
        self.wake(link::FOR_TASKS);
    }

    /// Ends it at once, by the tether's signal; needs neither its pid nor its parent.
    pub(crate) fn kill(&mut self) {
        self.retired = true;
        self.tether = None;
    }

    /// Whether it is known to run no more, so that what it was running can be told.
    pub(crate) fn is_dead(&self) -> bool {
        self.ended.is_some() || self.orphan && (self.hung_up || self.is_gone())
    }

    /// Whether the system has no such process any more. Asked only of an orphan that was killed, again
    /// and again: a process that its task has forked by the bare system call may keep its pipe open.
    fn is_gone(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid));
        // The state comes after the name, which may have brackets in it; `Z` is a zombie.
        let runs = stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").starts_with(" Z"));
        self.pid != 0 && !runs
    }

    /// Empties the pipe that woke us. Its end is the worker's end.
    pub(crate) fn woke_us(&mut self) {
        let mut bytes = [0; 64];
        let Ok(fd) = self.waker.fd() else { return };
        if nix::unistd::read(fd, &mut bytes) == Ok(0) {
            self.hung_up = true;
        }
    }
}

#[cfg(test)]
mod tests;
