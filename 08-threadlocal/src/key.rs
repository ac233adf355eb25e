use std::io;
use std::marker::PhantomData;

/// A value of each thread's own, as C has it: a `pthread_key_t`.
///
/// Unlike a [`Local`](crate::Local) it drops values at their threads' end only. When the key itself
/// goes, the C library forgets them: they leak, since it keeps no list of who has one. Unlike a
/// [`thread_local!`](std::thread_local) it can be made at run time, a thousand times: that is all
/// that there are (`PTHREAD_KEYS_MAX`, 1024 on Linux), for the whole process.
///
/// A value needs no `Send`: it is made, read and dropped on one thread.
///
/// ```
/// use std::cell::Cell;
///
/// let key = threadlocal::Key::new(|| Cell::new(1))?;
/// key.with(|value| value.set(2))?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| key.with(|value| assert_eq!(value.get(), 1)));
/// });
/// key.with(|value| assert_eq!(value.get(), 2))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # When it drops
///
/// After all `thread_local!`s of the thread. The C library takes each value away, calls its
/// destructor, and when all have been called looks whether a destructor has left a new value
/// somewhere: at most 4 rounds (`PTHREAD_DESTRUCTOR_ITERATIONS`), then it gives up, and the rest
/// leaks. A destructor that panics aborts the process, as there is nothing in C that it could
/// unwind into.
///
/// Source:
/// [pthread_key_create(3p)](https://man7.org/linux/man-pages/man3/pthread_key_create.3p.html).
#[derive(Debug)]
pub struct Key<T: 'static> {
    key: libc::pthread_key_t,
    init: fn() -> T,
    /// It makes values, and owns none.
    values: PhantomData<fn() -> T>,
}

impl<T: 'static> Key<T> {
    /// A key without values; `init` will make one for each thread that asks.
    ///
    /// # Errors
    ///
    /// `EAGAIN` when the process has no key left.
    pub fn new(init: fn() -> T) -> io::Result<Key<T>> {
        let mut key = 0;
        // SAFETY: it writes a key to a place of ours. The destructor gets what `with` sets: a
        // `Box<T>`.
        check(unsafe { libc::pthread_key_create(&mut key, Some(drop_value::<T>)) })?;
        Ok(Key { key, init, values: PhantomData })
    }

    /// Shows this thread's value to `look`, and makes it first if there is none.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when the C library has no room for one more value.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> io::Result<R> {
        let mut value = self.get();
        if value.is_null() {
            let new = Box::new((self.init)());
            value = self.get();
            // If the initialiser has asked for the value itself, there is one by now: it stays.
            if value.is_null() {
                value = Box::into_raw(new);
                // SAFETY: the key exists as long as `self`, and the destructor owns the box from
                // here on.
                let set = check(unsafe { libc::pthread_setspecific(self.key, value.cast()) });
                if let Err(error) = set {
                    // SAFETY: it came from a box, and was not handed on.
                    drop(unsafe { Box::from_raw(value.cast_mut()) });
                    return Err(error);
                }
            }
        }
        // SAFETY: it is a `T`, as the key is ours alone. It lives until the thread ends, which is
        // not during this call; nobody else gets more than `&T`, and that on this thread.
        Ok(look(unsafe { &*value }))
    }

    fn get(&self) -> *const T {
        // SAFETY: the key exists as long as `self`.
        unsafe { libc::pthread_getspecific(self.key) }.cast()
    }
}

impl<T: 'static> Drop for Key<T> {
    fn drop(&mut self) {
        // SAFETY: the key exists, and is used no more. No destructor runs for what threads still
        // have.
        unsafe { libc::pthread_key_delete(self.key) };
    }
}

/// Called by the C library when a thread ends that has a value.
extern "C" fn drop_value<T>(value: *mut libc::c_void) {
    // SAFETY: it is a box of `Key<T>::with`, and the C library has forgotten it before this call.
    drop(unsafe { Box::from_raw(value.cast::<T>()) });
}

fn check(error: i32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}
