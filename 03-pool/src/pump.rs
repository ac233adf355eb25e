use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use process::PrivateFd;

use crate::Error;
use crate::engine::{Engine, Leader, Settings, Want};
use crate::job::Spare;
use crate::spin::Spin;
use crate::zygote::Zygote;

/// The engine, and who drives it.
///
/// No thread stands between a caller and the workers: whoever waits for a result becomes the
/// *leader*, and does for all what there is to do, until it has its own result. Others that wait
/// meanwhile are *followers*, and one of them leads next. So a task there and back wakes two
/// processes, and not a third thread between them. Only when there are tasks and nobody waits, the
/// pool's own thread, the *helper*, leads.
pub(crate) struct Pump {
    engine: Mutex<Engine>,
    /// Somebody panicked in the middle of a change of the engine: nothing in it can be relied on.
    broken: AtomicBool,
    /// The helper's and the callers'.
    bells: Arc<[PrivateFd; 2]>,
    pub spare: Arc<Spare>,
}

/// The helper looks so often whether callers do the work.
const DOZE: Duration = Duration::from_millis(1);
/// And so often without finding any before it sleeps until it is called.
const QUIET: u32 = 20;

impl Pump {
    pub(crate) fn new(settings: Settings, zygote: Option<Zygote>) -> Result<Pump, Error> {
        let bell = || -> std::io::Result<_> {
            Ok(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?.into())
        };
        let bells = Arc::new(PrivateFd::open(|| Ok([bell()?, bell()?]))?);
        let engine = Mutex::new(Engine::new(settings, zygote, bells.clone()));
        Ok(Pump { engine, broken: AtomicBool::new(false), bells, spare: Arc::default() })
    }

    /// Why nothing can be asked of it, if that is so. In a forked child the lock may be shut for ever,
    /// and the workers are not its own.
    pub(crate) fn refusal(&self) -> Option<Error> {
        if self.bells[0].fd().is_err() {
            return Some(Error::NotOurs);
        }
        self.is_broken().then_some(Error::Broken)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(SeqCst)
    }

    pub(crate) fn lock(&self) -> Held<'_> {
        let before = thread::panicking();
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        Held { engine, pump: self, before }
    }

    /// Waits for it, at most until the deadline; says whether it came. It does not when the pool
    /// [breaks](Held).
    pub(crate) fn wait(&self, want: Want<'_>, deadline: Option<Instant>) -> bool {
        let engine = self.lock();
        self.wait_with(engine, want, deadline)
    }

    pub(crate) fn wait_with<'a>(
        &'a self,
        mut engine: Held<'a>,
        want: Want<'_>,
        deadline: Option<Instant>,
    ) -> bool {
        let mut leading = false;
        let done = loop {
            if self.is_broken() {
                return false;
            }
            engine.turn();
            if engine.is_done(want) {
                break true;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break false;
            }
            // With no task left it is the helper that is waited for, in a callback.
            if !leading && engine.leader == Leader::Caller || engine.outstanding == 0 {
                engine = self.follow(engine, deadline);
                continue;
            }
            if !leading {
                // The helper may be asleep in poll(2): two may poll, but one is enough.
                engine.nudge();
                engine.leader = Leader::Caller;
                leading = true;
            }
            engine = self.lead(engine, want, deadline);
        };
        if leading {
            engine.leader = Leader::Nobody;
            engine.activity += 1;
            if let Some(next) = engine.followers.first() {
                next.unpark();
            } else if engine.outstanding > 0 {
                engine.call_helper();
            }
        }
        done
    }

    fn follow<'a>(&'a self, mut engine: Held<'a>, deadline: Option<Instant>) -> Held<'a> {
        let me = thread::current();
        engine.followers.push(me.clone());
        if engine.sleepers > 0 {
            // The leader asked the workers to be woken for what it wants itself.
            let first = Want::Any(&[]);
            engine.ask_to_be_woken(first);
            if engine.has_work() {
                engine.nudge();
            }
        }
        drop(engine);
        match deadline {
            Some(deadline) => {
                thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
            }
            // Unparked by the leader: at a job's end, or at the end of its leading.
            None => thread::park(),
        }
        let mut engine = self.lock();
        engine.followers.retain(|follower| follower.id() != me.id());
        engine
    }

    /// Waits until something happens, and sees to it.
    fn lead<'a>(
        &'a self,
        mut engine: Held<'a>,
        want: Want<'_>,
        deadline: Option<Instant>,
    ) -> Held<'a> {
        let helper = matches!(want, Want::Nothing);
        let mut spin = if helper { Spin::none() } else { Spin::default() };
        loop {
            if engine.is_done(want) || engine.has_work() && engine.may_spin() {
                return engine;
            }
            let again = if spin.will_yield() {
                drop(engine);
                let again = spin.turn();
                engine = self.lock();
                again
            } else {
                spin.turn()
            };
            if !again {
                break;
            }
        }
        engine.bury();
        engine.sleepers += 1;
        engine.unpolled = 0;
        let looks = [
            deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
            engine.balance(),
            engine.time(),
            engine.retry_in(),
            engine.look_for_orphans(),
        ];
        engine.ask_to_be_woken(want);
        let most = if engine.has_work() {
            Some(Duration::ZERO)
        } else {
            looks.into_iter().flatten().min()
        };
        if !engine.is_done(want) {
            engine = self.sleep(engine, helper, most);
        }
        engine.sleepers -= 1;
        if engine.sleepers == 0 {
            engine.slots.iter().for_each(|slot| slot.dont_wake_me());
        }
        engine
    }

    fn sleep<'a>(&'a self, engine: Held<'a>, helper: bool, most: Option<Duration>) -> Held<'a> {
        let bell = &self.bells[usize::from(!helper)];
        let zygote = engine.zygote.as_ref().map(|zygote| zygote.socket.clone());
        let workers: Vec<(u64, Arc<PrivateFd>)> = engine
            .slots
            .iter()
            .filter(|slot| !slot.hung_up)
            .map(|slot| (slot.id, slot.waker.clone()))
            .collect();
        drop(engine);
        let fds = [Some(bell), zygote.as_deref()].into_iter().flatten();
        let fds = fds.chain(workers.iter().map(|(_, waker)| &**waker)).flat_map(PrivateFd::fd);
        let mut polled: Vec<PollFd<'_>> =
            fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // An error is a signal that came, and then there is nothing to see.
        let _ = ppoll(&mut polled, most.map(TimeSpec::from_duration), None);
        let mut ready = polled.iter().map(|fd| fd.any().unwrap_or(false));
        let mut engine = self.lock();
        if ready.next() == Some(true)
            && let Ok(fd) = bell.fd()
        {
            let _ = nix::unistd::read(fd, &mut [0; 8]);
        }
        if zygote.is_some() && ready.next() == Some(true) {
            engine.hear();
        }
        for ((id, _), _) in workers.iter().zip(ready).filter(|(_, ready)| *ready) {
            if let Some(slot) = engine.slots.iter_mut().find(|slot| slot.id == *id) {
                slot.woke_us();
            }
        }
        engine
    }

    /// The helper thread's function.
    pub(crate) fn help(&self) {
        let mut engine = self.lock();
        let (mut quiet, mut activity) = (0, engine.activity);
        loop {
            if let Some((callback, job)) = engine.callbacks.pop_front() {
                engine.calling = true;
                drop(engine);
                // Its panic was printed, and is its own affair.
                let _ = catch_unwind(AssertUnwindSafe(|| callback(&job)));
                drop(job);
                engine = self.lock();
                engine.calling = false;
                engine.completed = true;
                engine.announce();
                continue;
            }
            if engine.over {
                return;
            }
            let busy = engine.outstanding > 0 && !self.is_broken();
            quiet = if busy { 0 } else { quiet + 1 };
            if busy && engine.leader == Leader::Nobody && engine.activity == activity {
                engine.leader = Leader::Helper;
                engine = self.lead(engine, Want::Nothing, None);
                engine.turn();
                if engine.leader == Leader::Helper {
                    engine.leader = Leader::Nobody;
                }
                continue;
            }
            activity = engine.activity;
            if busy && engine.leader == Leader::Caller || quiet > QUIET {
                // Called when the last caller leaves work behind, or a new task comes.
                engine.helper_sleeps = true;
                drop(engine);
                thread::park();
                quiet = 0;
            } else {
                drop(engine);
                thread::park_timeout(DOZE);
            }
            engine = self.lock();
            engine.helper_sleeps = false;
        }
    }
}

/// The engine, while nobody else has it.
///
/// Unlike a mutex's guard, which leaves a mark for the next one who comes by, it sees to those who
/// sleep when its owner panics: the leader's work is everybody's, and they would wait for ever.
pub(crate) struct Held<'a> {
    engine: MutexGuard<'a, Engine>,
    pump: &'a Pump,
    /// The thread was in a panic already, and uses the pool in a destructor.
    before: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.before {
            self.pump.broken.store(true, SeqCst);
            self.engine.break_off();
        }
    }
}

impl Deref for Held<'_> {
    type Target = Engine;
    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Load, Part};

    #[test]
    fn a_panic_of_the_one_who_leads_ends_the_wait_of_all_others() {
        // Without any process: what is asked is who waits for whom.
        let pump = Pump::new(Settings::default(), None).expect("two descriptors");
        let job = Job::single(None);
        let load =
            Load { job: job.clone(), entry: [0; 16], bytes: Vec::new(), spare: Arc::default() };
        let part = Part { load: Arc::new(load), number: 0, range: 0..0, deaths: 0 };
        pump.lock().submit([part], false);
        let waits = || pump.wait(Want::Job(&job), None);
        let leads = || pump.lock().leader == Leader::Caller;
        let until = |seen: &dyn Fn() -> bool| {
            while !seen() {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            let leader = scope.spawn(waits);
            until(&leads);
            let followers = [scope.spawn(waits), scope.spawn(waits)];
            until(&|| pump.lock().followers.len() == 2);
            let panicked = scope.spawn(|| {
                let _held = pump.lock();
                panic!("in the middle of a change");
            });
            assert!(panicked.join().is_err());
            assert!(!leader.join().expect("no panic of its own"));
            assert!(followers.into_iter().all(|it| !it.join().expect("nor of theirs")));
        });
        assert!(matches!(pump.refusal(), Some(Error::Broken)));
    }
}
