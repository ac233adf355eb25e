use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::LocalError;
use crate::keys::{self, NONE};
use crate::slots::{self, Starting};
use crate::values::Values;

/// A value of each thread's own, per object.
///
/// Unlike a [`thread_local!`](std::thread_local), which is one name for the whole program, it is an
/// object: there can be one in each connection, each test, each pool, and when it goes, its values
/// go, in all threads. Unlike a `Mutex<HashMap<ThreadId, T>>` it takes no lock to read, and a value
/// goes when its thread ends: a new thread begins with a new value, never with that of a thread
/// that came before.
///
/// It is Python's `threading.local`. What in Python is set in one thread, and missing in the
/// others, is here made by the initialiser, in each thread when it first asks.
///
/// ```
/// use std::cell::Cell;
/// use threadlocal::Local;
///
/// let requests = Local::new(|| Cell::new(0));
/// requests.set(5);
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(requests.get(), 0)); // its own
/// });
/// assert_eq!(requests.get(), 5);
/// ```
///
/// # Who drops a value, and when
///
/// The thread, when it ends, the newest value first; or the object, when it is dropped, and then on
/// the thread that drops it. Hence `T: Send`. (A value whose thread is just ending while the object
/// goes is dropped by that thread, and maybe a moment after the object's drop has returned.) It is
/// `'static`, since an object that is leaked leaves its values to their threads.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// let local = threadlocal::Local::new(|| Rc::new(1)); // the drop might be on another thread
/// ```
///
/// The main thread's values are not dropped for sure: a program that exits does not wait for
/// destructors.
///
/// # Why `with`, and no reference
///
/// A reference that lived as long as the object could be handed to another thread, and read after
/// the thread whose value it is has ended. In `with` the thread can't end.
///
/// ```compile_fail
/// let local = threadlocal::Local::new(|| String::from("mine"));
/// let text: &str = local.with(|text| text.as_str());
/// ```
pub struct Local<T: Send + 'static, F = fn() -> T> {
    /// The object's key, once a thread has used it. Known to a thread in whose table it stands,
    /// since that thread wrote it here; to others it leads nowhere. So it needs no ordering.
    key: AtomicU64,
    values: OnceLock<Arc<Values<T>>>,
    init: F,
}

impl<T: Send + 'static, F> Local<T, F> {
    /// An object without values; `init` will make one for each thread that asks.
    ///
    /// It may be a `static`:
    ///
    /// ```
    /// use std::cell::RefCell;
    /// use threadlocal::Local;
    ///
    /// static USER: Local<RefCell<String>> = Local::new(RefCell::default);
    /// USER.set("Alice".to_owned());
    /// assert_eq!(USER.with_borrow(|user| user.len()), 5);
    /// ```
    pub const fn new(init: F) -> Local<T, F>
    where
        F: Fn() -> T,
    {
        Local { key: AtomicU64::new(NONE), values: OnceLock::new(), init }
    }

    /// Shows this thread's value to `look`, if there is one: does not make it.
    #[inline]
    pub fn peek<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        let value = slots::find(self.key.load(Relaxed));
        // SAFETY: as in `try_with`.
        look(value.map(|value| unsafe { &*value.cast::<T>() }))
    }
}

impl<T: Send + 'static, F: Fn() -> T> Local<T, F> {
    /// Shows this thread's value to `look`, and makes it first if there is none.
    ///
    /// # Panics
    ///
    /// When there is no value: [`try_with`](Local::try_with) says when that is. A panic in a
    /// destructor that runs as a thread ends aborts the process: there use `try_with`. When the
    /// initialiser panics: then there is no value, and the next call tries again.
    #[inline]
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with(look).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`with`](Local::with), with an error where there is no value.
    ///
    /// # Errors
    ///
    /// [`LocalError`]: the thread is ending, or the initialiser asks for its own value.
    ///
    /// # Panics
    ///
    /// When the initialiser panics.
    #[inline]
    pub fn try_with<R>(&self, look: impl FnOnce(&T) -> R) -> Result<R, LocalError> {
        let value = match slots::find(self.key.load(Relaxed)) {
            Some(value) => value,
            None => self.start()?,
        };
        // SAFETY: the value is a `T`, as the key is this object's alone and only `start` puts a
        // value under it. It lives as long as the reference: it is dropped by this thread's end,
        // which is not during a call on this thread, or by the object's drop, and the object is
        // borrowed here. It is not changed but by `T`'s own means: everybody gets `&T`, and on this
        // thread.
        Ok(look(unsafe { &*value.cast::<T>() }))
    }

    #[cold]
    fn start(&self) -> Result<*const (), LocalError> {
        let values = self.values.get_or_init(|| Arc::new(Values::new()));
        self.key.store(values.key, Relaxed);
        let starting = Starting::new(values.key)?;
        let value = values.add((self.init)()).cast::<()>();
        starting.finish(value, Arc::clone(values) as _)?;
        Ok(value.as_ptr())
    }
}

impl<T: Send + 'static, F> Drop for Local<T, F> {
    fn drop(&mut self) {
        if let Some(values) = self.values.take() {
            // Nobody reads them: a reader borrows the object.
            values.end_all();
            // Afterwards: no new object can have the key while a value is there.
            keys::give_back(values.key);
        }
    }
}

impl<T: Send + fmt::Debug + 'static, F> fmt::Debug for Local<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peek(|value| f.debug_struct("Local").field("of_this_thread", &value).finish())
    }
}

/// As for a [`LocalKey`](std::thread::LocalKey) of a `Cell`.
impl<T: Send + 'static, F: Fn() -> Cell<T>> Local<Cell<T>, F> {
    /// This thread's value.
    #[inline]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Sets this thread's value.
    #[inline]
    pub fn set(&self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// Sets this thread's value, and gives the one before.
    #[inline]
    pub fn replace(&self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

/// As for a [`LocalKey`](std::thread::LocalKey) of a `RefCell`.
impl<T: Send + 'static, F: Fn() -> RefCell<T>> Local<RefCell<T>, F> {
    /// Shows this thread's value.
    ///
    /// # Panics
    ///
    /// When it is being changed, further out on this thread.
    #[inline]
    pub fn with_borrow<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| look(&cell.borrow()))
    }

    /// Lets `change` change this thread's value.
    ///
    /// # Panics
    ///
    /// When it is being looked at, further out on this thread.
    #[inline]
    pub fn with_borrow_mut<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| change(&mut cell.borrow_mut()))
    }

    /// Sets this thread's value.
    ///
    /// # Panics
    ///
    /// As [`with_borrow_mut`](Local::with_borrow_mut).
    #[inline]
    pub fn set(&self, value: T) {
        self.replace(value);
    }

    /// Sets this thread's value, and gives the one before.
    ///
    /// # Panics
    ///
    /// As [`with_borrow_mut`](Local::with_borrow_mut).
    #[inline]
    pub fn replace(&self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}
