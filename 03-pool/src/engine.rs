use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{Ordering::SeqCst, fence};
use std::thread::Thread;
use std::time::{Duration, Instant};

use process::PrivateFd;

use crate::Error;
use crate::deaths::Replacing;
use crate::job::{Callback, Job, Part};
use crate::slot::Slot;
use crate::worker::Initializer;
use crate::zygote::Zygote;

/// What was asked for when the pool was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub processes: usize,
    pub initializer: Initializer,
    pub max_tasks: Option<u64>,
    pub timeout: Option<Duration>,
    pub retries: u32,
}

/// Who polls at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leader {
    Nobody,
    Helper,
    Caller,
}

/// Everything that the pool's lock guards: tasks, workers, and who waits.
pub(crate) struct Engine {
    pub settings: Settings,
    /// Not given to any worker.
    pub queue: VecDeque<Part>,
    pub slots: Vec<Slot>,
    pub zygote: Option<Zygote>,
    pub replacing: Replacing,
    /// Parts that were submitted and not settled.
    pub outstanding: usize,
    /// Jobs among them whose callback wants to be called as soon as they are done.
    pub eager: usize,
    pub callbacks: VecDeque<(Callback, Arc<Job>)>,
    /// Why nothing can be submitted any more.
    pub broken: Option<Error>,

    pub leader: Leader,
    /// Threads in poll(2): workers are asked to wake them.
    pub sleepers: u32,
    /// Callers that wait for the leader to do their work, too.
    pub followers: Vec<Thread>,
    /// A job is done, and the followers don't know.
    pub completed: bool,
    /// Grows with everything that callers do: the helper keeps away while it does.
    pub activity: u64,
    /// Turns of the leader since it last asked the kernel whether somebody died.
    pub unpolled: u32,
    scratch: Vec<u8>,
    /// The thread that does what nobody else does, and whether it sleeps until it is called.
    pub helper: Option<Thread>,
    pub helper_sleeps: bool,
    /// A callback runs.
    pub calling: bool,
    /// The helper is to end.
    pub over: bool,
    /// What ends the sleep of the leader: the helper's, or a caller's.
    pub bells: Arc<[PrivateFd; 2]>,
}

/// What a thread waits for.
#[derive(Clone, Copy)]
pub(crate) enum Want<'a> {
    Job(&'a Arc<Job>),
    Any(&'a [&'a Arc<Job>]),
    /// So few parts of it left that it is time for more.
    Few(&'a Arc<Job>, usize),
    /// All jobs and callbacks.
    All,
    /// Nothing of its own: the helper sees to everything.
    Nothing,
}

/// A worker is left alone with its tasks for so long, before an idle one may get them.
const LOOK: Duration = Duration::from_micros(50);
/// With so much patience for one that may be stopped, while others have enough to do.
const LOOK_AT_SUSPECTS: Duration = Duration::from_millis(1);
/// And for so long with a large one that it is reading, if it does not get on.
const STUCK: Duration = Duration::from_millis(20);
/// It is worth while if it takes longer than this to work them off: about what the move costs.
const WORTH: Duration = Duration::from_micros(100);

impl Engine {
    pub(crate) fn new(
        settings: Settings,
        zygote: Option<Zygote>,
        bells: Arc<[PrivateFd; 2]>,
    ) -> Engine {
        Engine {
            settings,
            queue: VecDeque::new(),
            slots: Vec::new(),
            zygote,
            replacing: Replacing::default(),
            outstanding: 0,
            eager: 0,
            callbacks: VecDeque::new(),
            broken: None,
            leader: Leader::Nobody,
            sleepers: 0,
            followers: Vec::new(),
            completed: false,
            activity: 0,
            unpolled: 0,
            scratch: Vec::new(),
            helper: None,
            helper_sleeps: false,
            calling: false,
            over: false,
            bells,
        }
    }

    /// Ends the leader's sleep, for it does not know yet what was changed.
    pub(crate) fn nudge(&self) {
        let bell = match self.leader {
            Leader::Nobody => return,
            Leader::Helper => &self.bells[0],
            Leader::Caller => &self.bells[1],
        };
        if let Ok(fd) = bell.fd() {
            let _ = nix::unistd::write(fd, &1_u64.to_ne_bytes());
        }
    }

    /// Calls the helper if it sleeps.
    pub(crate) fn call_helper(&mut self) {
        if mem::take(&mut self.helper_sleeps)
            && let Some(helper) = &self.helper
        {
            helper.unpark();
        }
    }

    /// Queues the parts of a job, and gives out what can be.
    pub(crate) fn submit(&mut self, parts: impl IntoIterator<Item = Part>, eager: bool) {
        self.activity += 1;
        self.eager += usize::from(eager);
        let before = self.queue.len();
        self.queue.extend(parts);
        self.outstanding += self.queue.len() - before;
        if let Some(error) = self.broken.clone() {
            self.fail_all(&error);
        } else if self.activity.is_multiple_of(64) || self.queue.len() > 64 {
            // Whoever only submits must not leave the workers' answers lying, or they stop.
            self.turn();
        } else {
            self.give();
        }
    }

    /// Does what can be done without waiting.
    pub(crate) fn turn(&mut self) {
        self.collect();
        self.retire();
        self.give();
        self.announce();
    }

    fn collect(&mut self) {
        let mut scratch = mem::take(&mut self.scratch);
        let mut slots = mem::take(&mut self.slots);
        for slot in &mut slots {
            if slot.has_answers() {
                let pid = slot.pid;
                slot.collect(&mut scratch, |part, bytes| self.settle(&part, Ok((pid, bytes))));
            }
        }
        (self.slots, self.scratch) = (slots, scratch);
    }

    /// A part has come to its end.
    pub(crate) fn settle(&mut self, part: &Part, outcome: Result<(i32, &mut Vec<u8>), Error>) {
        self.outstanding -= 1;
        let job = &part.load.job;
        if job.settle(part.number, outcome) {
            self.completed = true;
            if let Some(callback) = job.take_callback() {
                self.eager -= 1;
                self.callbacks.push_back((callback, job.clone()));
            }
        }
    }

    /// Tells those who wait without polling.
    pub(crate) fn announce(&mut self) {
        if mem::take(&mut self.completed) {
            self.followers.iter().for_each(Thread::unpark);
            if self.sleepers > 0 {
                self.nudge();
            }
            if !self.callbacks.is_empty()
                && let Some(helper) = &self.helper
            {
                helper.unpark();
            }
        }
    }

    /// Gives queued tasks to workers: to each its share of what is left, half of it in advance. So
    /// many small tasks travel together, and few large ones one by one.
    pub(crate) fn give(&mut self) {
        if self.queue.is_empty() && !self.slots.iter_mut().any(Slot::is_sending) {
            return;
        }
        let open = |slot: &Slot| !slot.retired && !slot.is_dead();
        let workers = self.slots.iter().filter(|slot| open(slot)).count();
        if workers == 0 {
            return;
        }
        let all: usize = self.slots.iter().map(|slot| slot.flight.len()).sum();
        let share = ((self.queue.len() + all) / (2 * workers)).max(1);
        let hasty = self.eager > 0 || !self.followers.is_empty();
        let watched = (self.sleepers > 0).then_some(hasty);
        // Who has nothing comes first, and whoever may be stopped only if all may be.
        let trusted = |slot: &mut Slot| open(slot) && slot.is_trusted();
        let any = self.slots.iter_mut().any(trusted);
        for idle in [true, false] {
            for slot in &mut self.slots {
                let fit = if any { trusted(slot) } else { open(slot) };
                if fit && slot.flight.is_empty() == idle {
                    Self::give_to(slot, &mut self.queue, share, self.settings.max_tasks, watched);
                }
            }
        }
    }

    /// Fills a worker up to its share. If a thread is asleep, `watched` says whether it wants to know
    /// of each answer.
    fn give_to(
        slot: &mut Slot,
        queue: &mut VecDeque<Part>,
        share: usize,
        most: Option<u64>,
        watched: Option<bool>,
    ) {
        if slot.is_sending() || slot.flight.len() > share / 2 {
            return;
        }
        if slot.is_worn() {
            queue.extend(slot.take_back());
        }
        let before = slot.flight.len();
        while slot.flight.len() < share && most.is_none_or(|most| slot.had() < most) {
            let Some(part) = queue.pop_front() else { break };
            if let Err(part) = slot.give(part) {
                queue.push_front(part);
                break;
            }
        }
        if slot.flight.len() > before {
            if let (0, Some(hasty)) = (before, watched) {
                // The sleeper has not asked to be woken by one that had nothing to do.
                slot.wake_me_after(if hasty { 1 } else { slot.flight.len() });
            }
            slot.publish();
        }
    }

    /// Lets idle workers have what waits behind slow tasks: it is taken back, and given out anew.
    /// Says when to look again.
    pub(crate) fn balance(&mut self) -> Option<Duration> {
        let idle = |slot: &Slot| slot.flight.is_empty() && !slot.retired && !slot.is_dead();
        if !self.queue.is_empty() || !self.slots.iter().any(idle) {
            self.slots.iter_mut().for_each(|slot| slot.seen = None);
            let suspect = self.slots.iter().any(|slot| slot.suspect);
            return (suspect && !self.queue.is_empty()).then_some(LOOK_AT_SUSPECTS);
        }
        let (now, mut again) = (Instant::now(), None);
        for slot in &mut self.slots {
            let (waiting, begun) = (slot.waiting(), slot.begun());
            if waiting == 0 || slot.is_dead() {
                continue;
            }
            again = Some(LOOK);
            let read = slot.has_read();
            let (before, read_before, since) = *slot.seen.get_or_insert((begun, read, now));
            let elapsed = now - since;
            if elapsed < LOOK || slot.is_in_pieces() && read == read_before && elapsed < STUCK {
                continue;
            }
            slot.seen = Some((begun, read, now));
            if slot.is_in_pieces() && read != read_before {
                continue;
            }
            let (done, left) = ((begun - before) as u32, waiting as u32);
            if done == 0 || elapsed * left / done > WORTH {
                self.queue.extend(slot.take_back());
                slot.suspect = done == 0;
            }
        }
        if !self.queue.is_empty() {
            self.give();
        }
        again
    }

    /// Whether the leader may go on without a look at the kernel's news.
    pub(crate) fn may_spin(&mut self) -> bool {
        self.unpolled += 1;
        self.unpolled < 256
    }

    /// Whether there is something to do for a worker.
    pub(crate) fn has_work(&mut self) -> bool {
        let most = self.settings.max_tasks;
        let fit = |slot: &mut Slot| slot.is_empty() && most.is_none_or(|most| slot.had() < most);
        let waits = !self.queue.is_empty();
        self.slots.iter_mut().any(|slot| slot.has_work() || waits && fit(slot))
    }

    pub(crate) fn is_done(&self, want: Want<'_>) -> bool {
        match want {
            Want::Job(job) => job.is_done(),
            Want::Any(jobs) => jobs.iter().any(|job| job.is_done()),
            Want::Few(job, few) => job.left() <= few,
            Want::All => self.outstanding == 0 && self.callbacks.is_empty() && !self.calling,
            Want::Nothing => self.outstanding == 0 || !self.callbacks.is_empty(),
        }
    }

    /// Asks each worker to wake us when it has what we want, or half of what it was given if there
    /// is more to give.
    pub(crate) fn ask_to_be_woken(&self, want: Want<'_>) {
        for slot in &self.slots {
            let flight = slot.flight.len();
            // One that has nothing may still have to read what was taken back, and a queued task waits for
            // its room.
            if flight == 0 && !slot.is_in_pieces() && self.queue.is_empty() {
                continue;
            }
            let enough = if self.queue.is_empty() { flight } else { flight.div_ceil(2) };
            let wanted = match want {
                _ if self.eager > 0 || !self.followers.is_empty() => 1,
                Want::Any(_) | Want::Few(..) => 1,
                Want::Job(job) => slot
                    .flight
                    .iter()
                    .rposition(|part| Arc::ptr_eq(&part.load.job, job))
                    .map_or(flight, |last| last + 1),
                Want::All | Want::Nothing => flight,
            };
            slot.wake_me_after(wanted.min(enough));
        }
        // The workers write answers and then look whether to wake us; we ask and then look.
        fence(SeqCst);
    }

    /// Ends the workers and wakes all who wait, and does nothing that could panic again.
    pub(crate) fn break_off(&mut self) {
        self.slots.iter_mut().for_each(Slot::kill);
        self.nudge();
        self.leader = Leader::Nobody;
        self.followers.iter().chain(&self.helper).for_each(Thread::unpark);
    }

    /// Ends everything that was submitted, and all that will be, with this error.
    pub(crate) fn fail_all(&mut self, error: &Error) {
        self.broken.get_or_insert_with(|| error.clone());
        let mut parts = mem::take(&mut self.queue);
        for slot in &mut self.slots {
            parts.extend(mem::take(&mut slot.flight));
        }
        for part in parts {
            self.settle(&part, Err(error.clone()));
        }
        self.announce();
    }
}
