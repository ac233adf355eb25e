//! The demo without arguments once more, on what lies below: the C library's threads.
//!
//! `std::thread` is made of these calls. What it adds is what is missing here: the argument and the
//! result have types, one is not freed twice and not read too early, a panic comes to whoever joins,
//! and a thread whose handle is forgotten is no leak.

use std::ffi::{CStr, c_int, c_void};
use std::{fs, io, mem, ptr};

use super::Outcome;

/// What the new thread is given. In C it is a pointer to anything.
struct Order {
    name: &'static CStr,
    up_to: u32,
}

/// What it gives back, through another pointer to anything.
type Answer = io::Result<()>;

pub(crate) fn run() -> Outcome {
    say!("thread MainThread is running...")?;
    let order = Box::new(Order { name: c"LoopThread", up_to: 5 });
    join(create(order)?)??;
    say!("thread MainThread ended.")?;
    Ok(())
}

/// A thread that was created here and not joined yet.
struct Created(libc::pthread_t);

fn create(order: Box<Order>) -> io::Result<Created> {
    let argument = Box::into_raw(order);
    let mut thread = mem::MaybeUninit::uninit();
    // SAFETY: `thread` may be written to; no attributes are the default ones; `begin` has the type
    // that is asked for, and gets what it expects: an `Order` from a box that nobody else has.
    let error =
        unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), begin, argument.cast()) };
    if error == 0 {
        // SAFETY: it was written to, as pthread_create succeeded.
        return Ok(Created(unsafe { thread.assume_init() }));
    }
    // SAFETY: no thread was created, so the box is still this function's alone.
    drop(unsafe { Box::from_raw(argument) });
    // These calls return their error, and leave errno alone.
    Err(io::Error::from_raw_os_error(error))
}

fn join(thread: Created) -> io::Result<Answer> {
    let mut answer = ptr::null_mut();
    // SAFETY: the thread was created joinable, and is joined once, as this consumes it; `answer` may
    // be written to.
    check(unsafe { libc::pthread_join(thread.0, &raw mut answer) })?;
    // SAFETY: it is what `begin` returned: an `Answer` from a box that nobody else has.
    Ok(*unsafe { Box::from_raw(answer.cast::<Answer>()) })
}

/// The new thread's `main`. A panic can't leave it: it would end the process.
extern "C" fn begin(argument: *mut c_void) -> *mut c_void {
    // SAFETY: it is the argument of `create`: an `Order` from a box that is this thread's alone.
    let order = unsafe { Box::from_raw(argument.cast::<Order>()) };
    Box::into_raw(Box::new(count(&order))).cast()
}

fn count(order: &Order) -> Answer {
    // SAFETY: it has no conditions.
    let me = unsafe { libc::pthread_self() };
    // SAFETY: this thread lives, and the name ends with a zero byte.
    check(unsafe { libc::pthread_setname_np(me, order.name.as_ptr()) })?;
    // The name as the kernel has it.
    let name = fs::read_to_string("/proc/thread-self/comm")?;
    let name = name.trim_end();
    say!("thread {name} is running...")?;
    for number in 1..=order.up_to {
        say!("thread {name} >>> {number}")?;
    }
    say!("thread {name} ended.")
}

fn check(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}
