use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::futex::constant;
use crate::guard::shown_as_value;
use crate::{Mutex, MutexGuard};

/// **Step 11**: a mutex that refuses the order in which a deadlock lies.
///
/// Unlike a [`Mutex`] it watches in which order locks are taken, in the whole program. The first
/// time that one is taken against an order seen before, that is an error with both places, though
/// nobody has been stuck yet, and in this run perhaps nobody would have been: two threads get stuck
/// only if both are at the wrong place in the same microsecond, and the order is wrong always.
///
/// A lock alone costs a few nanoseconds more, a lock under another one a look into a table.
/// Use it in tests and debug builds, and let an alias choose:
///
/// ```
/// use lock::{Deadlock, Ordered};
///
/// let (books, till) = (Ordered::new("books", ()), Ordered::new("till", 100));
/// {
///     let _books = books.lock().unwrap();
///     *till.lock().unwrap() -= 10;
/// }
/// let _till = till.lock().unwrap();
/// let refused: Deadlock = books.lock().unwrap_err();
/// println!("{refused}"); // … books then till at src/shop.rs:7, till then books at src/shop.rs:10 …
/// ```
///
/// It compares lock with lock, not kind with kind: of ten thousand accounts it sees a wrong order
/// if the same two are ever taken in both orders.
///
/// Source: the kernel's [lockdep](https://docs.kernel.org/locking/lockdep-design.html).
#[derive(Debug)]
pub struct Ordered<T: ?Sized> {
    /// The lock's number in the graph, given at its first use.
    id: OnceLock<u64>,
    name: &'static str,
    mutex: Mutex<T>,
}

impl<T> Ordered<T> {
    constant! {
        /// A free lock around `value`; its name is for the message.
        pub fn new(name: &'static str, value: T) -> Ordered<T> {
            Ordered { id: OnceLock::new(), name, mutex: Mutex::new(value) }
        }
    }
}

impl<T: ?Sized> Ordered<T> {
    /// Takes the lock, and sleeps while another thread has it.
    ///
    /// # Errors
    ///
    /// [`Deadlock`] if this thread holds a lock that was once taken after this one, directly or
    /// over others, or holds this one. Then nothing was taken, and nobody has waited.
    #[track_caller]
    pub fn lock(&self) -> Result<OrderedGuard<'_, T>, Deadlock> {
        let place = Location::caller();
        let this = self.node();
        // Before the wait: two threads that come at the same time must not both wait first.
        with_held(|held| graph(|graph| graph.follow(held, this, place))).unwrap_or(Ok(()))?;
        Ok(self.hold(self.mutex.lock()))
    }

    /// Takes the lock if it is free. That is allowed in any order: who does not wait closes no
    /// circle.
    pub fn try_lock(&self) -> Option<OrderedGuard<'_, T>> {
        Some(self.hold(self.mutex.try_lock()?))
    }

    fn node(&self) -> Node {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Node { id: *self.id.get_or_init(|| NEXT.fetch_add(1, Relaxed)), name: self.name }
    }

    fn hold<'a>(&'a self, mutex: MutexGuard<'a, T>) -> OrderedGuard<'a, T> {
        let this = self.node();
        with_held(|held| held.push(this));
        OrderedGuard { id: this.id, mutex }
    }
}

impl<T: ?Sized> Drop for Ordered<T> {
    fn drop(&mut self) {
        if let Some(&id) = self.id.get() {
            graph(|graph| graph.forget(id));
        }
    }
}

/// Holds an [`Ordered`] lock; dropping it opens the lock.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct OrderedGuard<'a, T: ?Sized> {
    id: u64,
    mutex: MutexGuard<'a, T>,
}

shown_as_value!(OrderedGuard);

impl<T: ?Sized> Deref for OrderedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.mutex
    }
}

impl<T: ?Sized> DerefMut for OrderedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.mutex
    }
}

impl<T: ?Sized> Drop for OrderedGuard<'_, T> {
    fn drop(&mut self) {
        with_held(|held| {
            let last = held.iter().rposition(|node| node.id == self.id);
            last.map(|place| held.remove(place));
        });
    }
}

#[derive(Debug, Clone, Copy)]
struct Node {
    id: u64,
    name: &'static str,
}

/// The locks that this thread holds, in the order in which it took them. `None` when the thread is
/// ending and its list is gone: then there is nothing to compare with.
fn with_held<R>(look: impl FnOnce(&mut Vec<Node>) -> R) -> Option<R> {
    thread_local!(static HELD: RefCell<Vec<Node>> = const { RefCell::new(Vec::new()) });
    HELD.try_with(|held| look(&mut held.borrow_mut())).ok()
}

/// Which lock was taken under which, since the program began.
#[derive(Debug)]
struct Graph {
    /// By the lock that was held, then by the one that was taken.
    edges: BTreeMap<u64, BTreeMap<u64, Step>>,
}

fn graph<R>(look: impl FnOnce(&mut Graph) -> R) -> R {
    static GRAPH: std::sync::Mutex<Graph> = std::sync::Mutex::new(Graph { edges: BTreeMap::new() });
    look(&mut GRAPH.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

impl Graph {
    /// Notes that `this` is taken under all of `held`, unless that closes a circle.
    fn follow(
        &mut self,
        held: &[Node],
        this: Node,
        place: &'static Location<'static>,
    ) -> Result<(), Deadlock> {
        for &above in held {
            if self.edges.get(&above.id).is_some_and(|taken| taken.contains_key(&this.id)) {
                continue;
            }
            let step = Step { held: above.name, taken: this.name, place };
            if let Some(mut steps) = self.path(this.id, above.id) {
                steps.push(step);
                return Err(Deadlock { steps });
            }
            self.edges.entry(above.id).or_default().insert(this.id, step);
        }
        Ok(())
    }

    /// The steps that lead from one lock to another, none for the same lock.
    fn path(&self, from: u64, to: u64) -> Option<Vec<Step>> {
        // How each lock was reached: a search in width, so the circle that is told is the shortest.
        let mut reached: BTreeMap<u64, (u64, Step)> = BTreeMap::new();
        let mut next = std::collections::VecDeque::from([from]);
        while let Some(at) = next.pop_front() {
            if at == to {
                let mut steps = Vec::new();
                let mut back = to;
                while back != from {
                    let (before, step) = reached[&back];
                    steps.push(step);
                    back = before;
                }
                steps.reverse();
                return Some(steps);
            }
            for (&id, &step) in self.edges.get(&at).into_iter().flatten() {
                if id != from && !reached.contains_key(&id) {
                    reached.insert(id, (at, step));
                    next.push_back(id);
                }
            }
        }
        None
    }

    fn forget(&mut self, id: u64) {
        self.edges.remove(&id);
        self.edges.values_mut().for_each(|taken| taken.retain(|&other, _| other != id));
    }
}

/// One lock was taken while another one was held.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The name of the lock that was held.
    pub held: &'static str,
    /// The name of the lock that was taken.
    pub taken: &'static str,
    /// Where it was taken.
    pub place: &'static Location<'static>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} then {} at {}:{}",
            self.held,
            self.taken,
            self.place.file(),
            self.place.line()
        )
    }
}

/// An order of taking [`Ordered`] locks in which threads can wait for each other in a circle.
#[derive(Debug, Clone)]
pub struct Deadlock {
    steps: Vec<Step>,
}

impl Deadlock {
    /// The circle: each step's lock is held in the next step. The last step is the refused one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a deadlock lies in this order of locks: ")?;
        for (number, step) in self.steps.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{step}")?;
        }
        match self.steps.len() {
            1 => {
                f.write_str("; a thread would wait for itself: give it the guard, or use an RLock")
            }
            _ => f.write_str(
                "; threads that do this at the same time wait for one another for ever: take these \
                 locks in one order everywhere",
            ),
        }
    }
}

impl std::error::Error for Deadlock {}
