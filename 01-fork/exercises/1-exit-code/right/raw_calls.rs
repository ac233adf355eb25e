// Right: the bare calls of libc, and the macros of wait(2).
pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> {
    let pid = nix::errno::Errno::result(unsafe { libc::fork() })?;
    if pid == 0 {
        let code = f();
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    while nix::errno::Errno::result(unsafe { libc::waitpid(pid, &mut status, 0) })
        == Err(nix::errno::Errno::EINTR)
    {}
    Ok(if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    })
}
