//! Child processes from the bare system call.
