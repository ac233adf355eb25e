use std::io;
use std::time::{Duration, Instant};

use process::ExitStatus;

use crate::Error;
use crate::chunk::{self, Failure};
use crate::engine::Engine;
use crate::panics::Panic;
use crate::slot::Slot;
use crate::zygote::{News, Zygote};

/// How workers that died are replaced.
#[derive(Debug, Default)]
pub(crate) struct Replacing {
    next: u64,
    /// Workers in a row that died, or could not be forked, before they had begun.
    failures: u32,
    /// After a refusal of the system: when to ask it again.
    retry: Option<Instant>,
}

/// So many failures in a row are no accident.
const TOO_MANY: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);
const LOOK_FOR_ORPHANS: Duration = Duration::from_millis(10);

impl Engine {
    /// Takes in what the zygote has told.
    pub(crate) fn hear(&mut self) {
        let Some(zygote) = &mut self.zygote else { return };
        let Ok(news) = zygote.news() else { return self.lose_zygote() };
        for news in news {
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        let (News::Started { worker, .. }
        | News::NotStarted { worker, .. }
        | News::Ended { worker, .. }) = news;
        let Some(at) = self.slots.iter().position(|slot| slot.id == worker) else { return };
        match news {
            News::Started { pid, .. } => self.slots[at].pid = pid,
            News::Ended { status, .. } => self.slots[at].ended = Some(status),
            News::NotStarted { errno, .. } => {
                let mut slot = self.slots.swap_remove(at);
                self.requeue(&mut slot);
                self.refused(io::Error::from_raw_os_error(errno).into());
            }
        }
    }

    /// The zygote is gone, so its workers are, or will be at once: each has a tether to it, and to us.
    fn lose_zygote(&mut self) {
        if let Some(zygote) = self.zygote.take() {
            zygote.end(Duration::ZERO);
        }
        for slot in &mut self.slots {
            slot.orphan = true;
            slot.kill();
        }
    }

    /// Sees to workers that died: their tasks, and who comes after them.
    pub(crate) fn bury(&mut self) {
        while let Some(at) = self.slots.iter().position(Slot::is_dead) {
            let mut slot = self.slots.swap_remove(at);
            let (mut scratch, pid) = (Vec::new(), slot.pid);
            // What it answered before its death lies in memory that it shared with us.
            slot.collect(&mut scratch, |part, bytes| self.settle(&part, Ok((pid, bytes))));
            self.requeue(&mut slot);
            self.judge(&slot);
        }
        self.replace();
        self.give();
        self.announce();
    }

    /// What a dead worker had not begun goes to others, and the one task that it had begun fails,
    /// or is tried again if that was asked for.
    fn requeue(&mut self, slot: &mut Slot) {
        for part in slot.take_back().into_iter().rev() {
            self.queue.push_front(part);
        }
        for mut part in std::mem::take(&mut slot.flight).into_iter().rev() {
            let pid = slot.pid;
            let error = match slot.ended {
                _ if slot.timed_out => {
                    let timeout = self.settings.timeout.unwrap_or_default();
                    self.settle(&part, Err(Error::TimedOut { pid, timeout }));
                    continue;
                }
                Some(ExitStatus::Exited(code)) => Error::Exited { pid, code },
                Some(ExitStatus::Signaled { signal, .. }) => {
                    Error::Killed { pid, signal: Some(signal) }
                }
                None => Error::Killed { pid, signal: None },
            };
            part.deaths += 1;
            if part.deaths <= self.settings.retries {
                self.queue.push_front(part);
            } else {
                self.settle(&part, Err(error));
            }
        }
    }

    /// Whether a death means that the initializer can't work.
    fn judge(&mut self, slot: &Slot) {
        if let Some(bytes) = slot.not_begun.as_deref() {
            let error = match chunk::only::<()>(bytes) {
                Err(Failure::Panicked(Panic { message, place })) => {
                    Error::Initializer { message, place }
                }
                Err(failure) => initializer(&failure.into_error(slot.pid).to_string()),
                Ok(()) => initializer("it left no answer"),
            };
            self.give_up(&error);
        } else if !slot.has_begun() {
            match slot.ended {
                Some(status @ ExitStatus::Exited(_)) => {
                    self.give_up(&initializer(&status.to_string()))
                }
                // Somebody may have killed it by chance: only if that goes on.
                Some(status) => self.failed(&initializer(&status.to_string())),
                None => {}
            }
        } else {
            self.replacing.failures = 0;
        }
    }

    /// The system refused a process, or what it needs. There may be room a little later.
    fn refused(&mut self, error: Error) {
        self.replacing.retry = Some(Instant::now() + PAUSE);
        self.failed(&error);
    }

    fn failed(&mut self, error: &Error) {
        self.replacing.failures += 1;
        if self.replacing.failures >= TOO_MANY {
            self.give_up(error);
        }
    }

    fn give_up(&mut self, error: &Error) {
        self.slots.iter_mut().for_each(Slot::kill);
        self.fail_all(error);
    }

    /// Starts the first workers, and waits until they are forked.
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        while self.slots.len() < self.settings.processes {
            self.order()?;
        }
        while self.slots.iter().any(|slot| slot.pid == 0) {
            let Some(zygote) = &mut self.zygote else { return Err(Error::Terminated) };
            let news = zygote.wait_for_news()?;
            for news in news {
                if let News::NotStarted { errno, .. } = news {
                    return Err(io::Error::from_raw_os_error(errno).into());
                }
                self.take(news);
            }
        }
        Ok(())
    }

    /// Orders workers for those that are missing.
    pub(crate) fn replace(&mut self) {
        if self.replacing.retry.is_some_and(|time| time > Instant::now()) {
            return;
        }
        self.replacing.retry = None;
        while self.slots.len() < self.settings.processes && self.broken.is_none() {
            if let Err(error) = self.order() {
                return self.refused(error);
            }
        }
    }

    fn order(&mut self) -> Result<(), Error> {
        if self.zygote.is_none() {
            // The last resort: a fork of this process, whatever threads it has by now.
            self.zygote = Some(Zygote::start(&self.settings.initializer)?);
        }
        if let Some(zygote) = &self.zygote {
            self.replacing.next += 1;
            self.slots.push(Slot::order(self.replacing.next, zygote)?);
        }
        Ok(())
    }

    /// Ends workers whose task takes too long, and says when to look again: the time is taken by
    /// looking, ten times in the time that a task may take.
    pub(crate) fn time(&mut self) -> Option<Duration> {
        let timeout = self.settings.timeout?;
        let (now, mut again) = (Instant::now(), None);
        let mut freed = Vec::new();
        for slot in self.slots.iter_mut().filter(|slot| slot.is_running() && !slot.timed_out) {
            again =
                Some((timeout / 10).clamp(Duration::from_millis(1), Duration::from_millis(100)));
            let begun = slot.begun();
            let since = match slot.running {
                Some((task, since)) if task == begun => since,
                _ => {
                    slot.running = Some((begun, now));
                    now
                }
            };
            if now - since < timeout {
                continue;
            }
            // First nothing more can begin there; then it is certain which task is killed.
            freed.push(slot.take_back());
            if slot.begun() == begun {
                slot.timed_out = true;
                slot.kill();
            }
        }
        for part in freed.into_iter().flatten().rev() {
            self.queue.push_front(part);
        }
        self.give();
        again
    }

    /// Sends workers home that had as many tasks as they may have.
    pub(crate) fn retire(&mut self) {
        let Some(most) = self.settings.max_tasks else { return };
        let done = |slot: &&mut Slot| !slot.retired && slot.flight.is_empty() && slot.had() >= most;
        self.slots.iter_mut().filter(done).for_each(Slot::close);
    }

    /// When to look again whether workers without a zygote are gone, which nobody will tell.
    pub(crate) fn look_for_orphans(&self) -> Option<Duration> {
        self.slots.iter().any(|slot| slot.orphan).then_some(LOOK_FOR_ORPHANS)
    }

    /// When to ask the system again for what it refused.
    pub(crate) fn retry_in(&self) -> Option<Duration> {
        self.replacing.retry.map(|time| time.saturating_duration_since(Instant::now()))
    }
}

fn initializer(message: &str) -> Error {
    Error::Initializer { message: message.to_owned(), place: String::new() }
}
