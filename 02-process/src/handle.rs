use std::os::fd::BorrowedFd;
use std::sync::{Arc, OnceLock};

use fork::{Child, ExitStatus, WaitError};
use nix::sys::signal::Signal;

use crate::me::Orders;
use crate::registry::Lifeline;

/// What all who know a child share, and what a forked child knows itself by.
///
/// It is made before the fork. What the parent writes to after it, while the child has all its pages
/// too, is copied first, and this way that is little.
#[derive(Debug)]
pub(crate) struct Shared {
    pub orders: Orders,
    /// Set when it is started; never in the child itself.
    pub started: OnceLock<Child>,
    /// Held for a daemon.
    pub _lifeline: Option<Arc<Lifeline>>,
}

impl Shared {
    /// The process behind it. Whoever got hold of it here got it from [`registry`](crate::registry)
    /// or from a [`Process`](crate::Process), where it is started.
    pub(crate) fn child(&self) -> &Child {
        match self.started.get() {
            Some(child) => child,
            None => unreachable!("it is given out after its start only"),
        }
    }

    pub(crate) fn lives(&self) -> bool {
        let lives = |child: &Child| child.try_wait().is_ok_and(|status| status.is_none());
        self.started.get().is_some_and(lives)
    }
}

/// A child that lives, as [`active_children`](crate::active_children) lists it.
///
/// Unlike a [`Process`](crate::Process), which its owner alone has and which gives the result, it
/// can be cloned and kept by anybody, to look at the child or to end it.
#[derive(Debug, Clone)]
pub struct ActiveChild(pub(crate) Arc<Shared>);

impl ActiveChild {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.orders.name
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.0.child().pid()
    }

    /// Whether it ends with its parent.
    pub fn daemon(&self) -> bool {
        self.0.orders.daemon
    }

    /// Whether it still lives.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when this process is not its parent.
    pub fn is_alive(&self) -> Result<bool, WaitError> {
        Ok(self.status()?.is_none())
    }

    /// How it ended; `None` while it lives.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when this process is not its parent.
    pub fn status(&self) -> Result<Option<ExitStatus>, WaitError> {
        self.0.child().try_wait()
    }

    /// A descriptor that becomes readable, for poll(2), when it ends.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when this process is not its parent.
    pub fn sentinel(&self) -> Result<BorrowedFd<'_>, WaitError> {
        self.0.child().sentinel()
    }

    /// Asks it to end: `SIGTERM`, which it may catch or ignore.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when this process is not its parent.
    pub fn terminate(&self) -> Result<(), WaitError> {
        self.0.child().signal(Signal::SIGTERM)
    }

    /// Ends it: `SIGKILL`.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when this process is not its parent.
    pub fn kill(&self) -> Result<(), WaitError> {
        self.0.child().signal(Signal::SIGKILL)
    }
}
