use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What an [`Entry`] runs: bytes in, bytes out.
///
/// Implement it for a type without size, such as a wrapper around a function item: a value with
/// content could not cross into a program that was started afresh.
pub trait Task: Copy + 'static {
    /// Reads its arguments from `input` and appends its result to `output`.
    fn run(self, input: &[u8], output: &mut Vec<u8>);
}

/// A function that another process of this program can call.
///
/// Unlike a function pointer, which is an address and means something else in a program that was
/// executed afresh (the kernel loads each one at a random place), an entry is a distance
/// from the start of the program's image: the same number in every process that runs this program,
/// forked or executed. It crosses as 16 bytes.
///
/// ```
/// #[derive(Clone, Copy)]
/// struct Shout;
/// impl fork::Task for Shout {
///     fn run(self, input: &[u8], output: &mut Vec<u8>) {
///         output.extend(input.to_ascii_uppercase());
///     }
/// }
///
/// let bytes = fork::Entry::of(Shout).to_bytes(); // send these 16 bytes to the other process
/// let entry = fork::Entry::from_bytes(bytes).expect("made by this program");
/// let mut output = Vec::new();
/// entry.run(b"hello", &mut output);
/// assert_eq!(output, b"HELLO");
/// ```
///
/// What has content stays where it is:
///
/// ```compile_fail,E0080
/// #[derive(Clone, Copy)]
/// struct Add(u8);
/// impl fork::Task for Add {
///     fn run(self, input: &[u8], output: &mut Vec<u8>) {
///         output.push(input[0] + self.0);
///     }
/// }
/// fork::Entry::of(Add(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    offset: u64,
}

impl Entry {
    /// The entry that runs `task`.
    ///
    /// # Panics
    ///
    /// When the code of `T` is not part of the program itself, but of a library that was loaded at
    /// run time: another process may have it at another distance.
    pub fn of<T: Task>(_task: T) -> Entry {
        const { assert!(size_of::<T>() == 0, "only a task without content can cross to a process") };
        let code: Trampoline = trampoline::<T>;
        let offset = (code as usize as u64).wrapping_sub(image().start);
        assert!(offset < image().len, "a task must be part of the program's own code");
        Entry { offset }
    }

    /// The form in which it crosses to the other process.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.offset.to_ne_bytes());
        bytes[8..].copy_from_slice(&proof(self.offset).to_ne_bytes());
        bytes
    }

    /// The entry that crossed as these bytes; `None` if they are not what
    /// [`to_bytes`](Entry::to_bytes) made in a process that runs this very file. So bytes that were
    /// damaged, or come from yesterday's build of the program, are an error and not a jump into the
    /// dark. (They are no protection from an enemy: take them from your own processes only.)
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Entry> {
        let (offset, given) = bytes.split_at(8);
        let offset = u64::from_ne_bytes(offset.try_into().ok()?);
        let given = u64::from_ne_bytes(given.try_into().ok()?);
        (given == proof(offset) && offset < image().len).then_some(Entry { offset })
    }

    /// Calls the task, with a copy of the value that [`of`](Entry::of) was given in another process.
    #[inline]
    pub fn run(self, input: &[u8], output: &mut Vec<u8>) {
        let address = image().start.wrapping_add(self.offset) as usize;
        // SAFETY: the address is that of a `Trampoline` of this program:
        // - `of` is the only place that makes an offset, from such an address.
        // - `from_bytes` accepts no offset but with a proof that `to_bytes` made, where the same file
        //   was loaded; so it lies at the same distance from the start of the image here.
        let code = unsafe { std::mem::transmute::<*const (), Trampoline>(address as *const ()) };
        code(input, output);
    }
}

type Trampoline = fn(&[u8], &mut Vec<u8>);

fn trampoline<T: Task>(input: &[u8], output: &mut Vec<u8>) {
    // SAFETY: `T` has no size (checked in `Entry::of`, the only place that names this function), so
    // any aligned pointer can be read; it is `Copy`, and a value of it was given to `Entry::of`, so
    // this is one more copy of a value that exists.
    let task = unsafe { NonNull::<T>::dangling().read() };
    task.run(input, output);
}

/// A checksum over the offset and the program: 2^-64 for accidents.
fn proof(offset: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    ("an entry of this program", program(), offset).hash(&mut hasher);
    hasher.finish()
}

/// Tells the file that this process executes from every other file, and from a later build of it.
fn program() -> u64 {
    // Not a `OnceLock`: a fork while another thread initialises it would leave it shut in the child.
    // At worst two threads store the same number.
    static PROGRAM: AtomicU64 = AtomicU64::new(0);
    let known = PROGRAM.load(Relaxed);
    if known != 0 {
        return known;
    }
    // Without /proc the checksum still guards against damage.
    let file = fs::metadata("/proc/self/exe").ok();
    let mut hasher = DefaultHasher::new();
    file.map(|file| (file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
        .hash(&mut hasher);
    let new = hasher.finish().max(1);
    PROGRAM.store(new, Relaxed);
    new
}

struct Image {
    start: u64,
    len: u64,
}

/// Where this program's own code lies in this process.
#[inline]
fn image() -> Image {
    // Set by the linker (GNU ld, gold, lld and mold agree on the names); only their addresses
    // mean anything.
    unsafe extern "C" {
        static __executable_start: u8;
        static etext: u8;
    }
    let start = &raw const __executable_start as u64;
    Image { start, len: &raw const etext as u64 - start }
}
