use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fork::PrivateFd;

use crate::handle::Shared;

/// What this process knows of its children.
///
/// A forked child begins with a copy of its parent's, and leaves it alone: tidying it up would copy
/// the pages that it lies on. Who is in there is not the child's own, says so, and counts as gone.
struct Registry {
    /// In the order of their start.
    children: Vec<Weak<Shared>>,
    /// Those whose handle was dropped while they ran: kept here, to be reaped.
    dropped: Vec<Arc<Shared>>,
    lifeline: Weak<Lifeline>,
}

static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { children: Vec::new(), dropped: Vec::new(), lifeline: Weak::new() });

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something between two forks: no thread of this process forks meanwhile.
///
/// All that is locked in this library is locked in here, and so it is open in every child,
/// whichever thread forks. `action` opens and closes no [`PrivateFd`]: it would wait for itself. Nor
/// does it ask a child anything.
pub(crate) fn between_forks<T>(action: impl FnOnce() -> T) -> T {
    let mut result = None;
    let nothing = PrivateFd::open(|| {
        result = Some(action());
        Ok([])
    });
    match (nothing, result) {
        (Ok([]), Some(result)) => result,
        _ => unreachable!("the action was called, and nothing was opened that could fail"),
    }
}

/// A pipe whose first end is given to daemons, and whose second end this process alone holds, as long
/// as it has any: its end cuts it.
#[derive(Debug)]
pub(crate) struct Lifeline([PrivateFd; 2]);

/// The lifeline of this process, and the end of it for one more daemon.
pub(crate) fn lifeline() -> io::Result<(Arc<Lifeline>, PrivateFd)> {
    let known = between_forks(|| registry().lifeline.upgrade());
    // After a fork there may be one that is the parent's.
    let lifeline = match known.filter(|known| known.0[0].fd().is_ok()) {
        Some(known) => known,
        None => {
            // If another thread does the same, there are two for a while: no harm.
            let new = Arc::new(Lifeline(PrivateFd::pipe()?));
            between_forks(|| registry().lifeline = Arc::downgrade(&new));
            new
        }
    };
    let tether = duplicate(&lifeline.0[0])?;
    Ok((lifeline, tether))
}

/// Another descriptor of the same open file, for a child.
fn duplicate(fd: &PrivateFd) -> io::Result<PrivateFd> {
    let [copy] = PrivateFd::open(|| Ok([fd.fd()?.try_clone_to_owned()?]))?;
    Ok(copy)
}

/// Notes a child that is about to be started.
pub(crate) fn add(child: &Arc<Shared>) {
    between_forks(|| {
        let mut registry = registry();
        let children = &mut registry.children;
        // Before it would grow, it forgets whoever is gone.
        if children.len() == children.capacity() {
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Arc::downgrade(child));
    });
}

/// Takes over a child that runs and whose handle is being dropped.
pub(crate) fn take_over(child: Arc<Shared>) {
    between_forks(|| registry().dropped.push(child));
}

/// Reaps the children without a handle that have ended.
pub(crate) fn reap_dropped() {
    let dropped = between_forks(|| mem::take(&mut registry().dropped));
    if dropped.is_empty() {
        return;
    }
    // Asked out here: a thread that opens a child's sentinel has hold of that child, and waits for
    // what `between_forks` holds. And whoever is gone closes descriptors.
    let living: Vec<_> = dropped.into_iter().filter(|child| child.lives()).collect();
    between_forks(|| registry().dropped.extend(living));
}

/// The children that live, in the order of their start; those that have ended are reaped.
pub(crate) fn living() -> Vec<Arc<Shared>> {
    let known: Vec<Arc<Shared>> =
        between_forks(|| registry().children.iter().filter_map(Weak::upgrade).collect());
    let living = known.into_iter().filter(|child| child.lives()).collect();
    // Afterwards, so that nothing is left of whoever is not in the list.
    reap_dropped();
    living
}
