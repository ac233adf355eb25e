use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fork::PrivateFd;

use crate::handle::Shared;

/// What this process knows of its children.
///
/// Held while a child is forked, and moved into the child's closure: so it is open in the
/// child, who begins with an empty one.
pub(crate) struct Registry {
    children: Vec<Weak<Shared>>,
    /// The end that children watch, and the end that only this process holds, in that order.
    lifeline: Option<[PrivateFd; 2]>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { children: Vec::new(), lifeline: None });

impl Registry {
    pub(crate) fn hold() -> MutexGuard<'static, Registry> {
        REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called once in a new child: nothing in here is its own.
    pub(crate) fn enter_child(&mut self) {
        self.children.clear();
        self.lifeline = None;
    }

    pub(crate) fn add(&mut self, child: &Arc<Shared>) {
        self.children.push(Arc::downgrade(child));
    }

    /// The children that live, in the order of their start; those that have ended are reaped.
    pub(crate) fn living(&mut self) -> Vec<Arc<Shared>> {
        let living: Vec<Arc<Shared>> = self
            .children
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|child| child.is_alive().unwrap_or(false))
            .collect();
        self.children = living.iter().map(Arc::downgrade).collect();
        living
    }

    /// A descriptor for a child that hangs up when this process ends, however it ends.
    pub(crate) fn watch_me(&mut self) -> io::Result<PrivateFd> {
        if self.lifeline.as_ref().is_none_or(|[watched, _]| watched.fd().is_err()) {
            self.lifeline = Some(PrivateFd::pipe()?);
        }
        let [watched, _] = self.lifeline.as_ref().expect("made above");
        let watched: OwnedFd = watched.fd()?.as_fd().try_clone_to_owned()?;
        let [watched] = PrivateFd::open(|| Ok([watched]))?;
        Ok(watched)
    }
}
