use std::io::{self, PipeWriter, Write};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// Writes into a pipe. That it has no reader is an error, `EPIPE`, and no more than that.
///
/// The kernel sends `SIGPIPE` as well, whose default is to end us. Rust's runtime ignores it, but a
/// program may have restored the default, as those do that are to end quietly behind `| head`.
pub(crate) fn write(pipe: &mut PipeWriter, bytes: &[u8]) -> io::Result<usize> {
    let sigpipe = SigSet::from(Signal::SIGPIPE);
    let before = sigpipe.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let written = pipe.write(bytes);
    if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        // It was sent to this very thread, and waits: taken here, it is not there when the mask is
        // as before.
        let _ = sigpipe.wait();
    }
    before.thread_set_mask()?;
    written
}
