use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fork::{ForkError, Spawn};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{AccessFlags, access};

use crate::error::{Failed, StartError};
use crate::redirect::{ErrRedirect, Redirect};
use crate::talk::Talk;
use crate::{Command, Group, Popen};

/// Where programs are looked for when `PATH` is not set.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

pub(crate) fn start(mut command: Command) -> Result<Popen, StartError> {
    match attempt(&mut command) {
        Ok((child, talk)) => Ok(Popen::new(command, child, talk)),
        Err(Failure { failed, source, hint }) => {
            Err(StartError::new(command.args, failed, source, hint))
        }
    }
}

/// What failed, and how.
struct Failure {
    failed: Failed,
    source: io::Error,
    hint: Option<String>,
}

impl Failure {
    /// For `map_err`.
    fn at<E: Into<io::Error>>(failed: Failed) -> impl FnOnce(E) -> Failure {
        |error| Failure { failed, source: error.into(), hint: None }
    }
}

fn attempt(command: &mut Command) -> Result<(fork::Child, Talk), Failure> {
    if command.args.is_empty() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "no program is named");
        return Err(Failure::at(Failed::Arguments)(error));
    }
    let arguments = command.args.iter().map(|word| CString::new(word.as_bytes()));
    let arguments: Vec<_> =
        arguments.collect::<Result<_, _>>().map_err(Failure::at(Failed::Arguments))?;
    let environment = environment(command)?;
    let lines = environment.split_inclusive(|&byte| byte == 0);
    let environment: Vec<_> =
        lines.filter_map(|line| CStr::from_bytes_with_nul(line).ok()).collect();
    let program = find(command, &environment)?;

    let mut talk = Talk::default();
    let mut fds = std::mem::take(&mut command.fds);
    match std::mem::take(&mut command.stdin) {
        Redirect::Pipe => {
            let (theirs, ours) = io::pipe().map_err(Failure::at(Failed::Redirect("stdin")))?;
            fds.insert(0, theirs.into());
            talk.stdin = Some(ours);
        }
        other => redirect(&mut fds, 0, "stdin", other)?,
    }
    let stderr = std::mem::replace(&mut command.stderr, ErrRedirect::To(Redirect::Inherit));
    let merged = matches!(stderr, ErrRedirect::Stdout);
    let stderr = if let ErrRedirect::To(redirect) = stderr { redirect } else { Redirect::Inherit };
    let stdout = std::mem::take(&mut command.stdout);
    for (number, name, to) in [(1, "stdout", stdout), (2, "stderr", stderr)] {
        let mut pipe = None;
        if let Redirect::Pipe = to {
            let (ours, theirs) = io::pipe().map_err(Failure::at(Failed::Redirect(name)))?;
            fds.insert(number, theirs.into());
            pipe = Some(ours);
        } else {
            redirect(&mut fds, number, name, to)?;
        }
        talk.outputs.push(pipe.into());
    }

    let moved = move_away(&fds).map_err(Failure::at(Failed::Descriptors))?;
    let fds = fds.iter().map(|(number, fd)| (*number, moved.get(number).unwrap_or(fd).as_fd()));
    let mut fds: BTreeMap<RawFd, BorrowedFd<'_>> = fds.collect();
    let stdout = io::stdout();
    if merged {
        fds.insert(2, fds.get(&1).copied().unwrap_or(stdout.as_fd()));
    }
    let spawn = prepare(command, &fds)?;
    let child = spawn.start(&program, &arguments, &environment);
    Ok((child.map_err(|error| explain(command, &program, &error))?, talk))
}

/// Notes an open file under the number that it will have in the child. It stays open here until the
/// program has started.
fn redirect(
    fds: &mut BTreeMap<RawFd, OwnedFd>,
    number: RawFd,
    name: &'static str,
    redirect: Redirect,
) -> Result<(), Failure> {
    let fd = match redirect {
        Redirect::Inherit | Redirect::Pipe => return Ok(()),
        Redirect::Null => {
            let null = OpenOptions::new().read(true).write(true).open("/dev/null");
            null.map_err(Failure::at(Failed::Redirect(name)))?.into()
        }
        Redirect::Fd(fd) => fd,
    };
    fds.insert(number, fd);
    Ok(())
}

/// `NAME=value` of all variables, each with a NUL after it, in one piece: fifty small ones take a
/// hundredth of the time of a start.
fn environment(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::with_capacity(4096);
    let mut add = |name: &OsStr, value: &OsStr| {
        for part in [name.as_bytes(), b"=", value.as_bytes(), b"\0"] {
            all.extend_from_slice(part);
        }
    };
    if !command.env_cleared {
        for (name, value) in std::env::vars_os() {
            if !command.env.contains_key(&name) {
                add(&name, &value);
            }
        }
    }
    for (name, value) in &command.env {
        let bytes = name.as_bytes();
        let why = match value {
            // The system would take `A=B` for a variable `A`.
            _ if bytes.is_empty() || bytes.contains(&b'=') => {
                "a variable's name has at least one character, and no `=`"
            }
            _ if bytes.contains(&0) => "there is a NUL in its name",
            Some(value) if value.as_bytes().contains(&0) => "there is a NUL in its value",
            Some(value) => {
                add(name, value);
                continue;
            }
            None => continue,
        };
        let error = io::Error::new(io::ErrorKind::InvalidInput, why);
        return Err(Failure::at(Failed::Environment(name.clone()))(error));
    }
    Ok(all)
}

/// The program's file. A name without `/` is looked for here and not by execvp(3), which would look
/// in the `PATH` of this process, and try one start after the other.
fn find(command: &Command, environment: &[&CStr]) -> Result<CString, Failure> {
    let program = &command.args[0];
    let failed = || Failed::Program(program.into());
    let c_string = |path: &OsStr| CString::new(path.as_bytes()).map_err(Failure::at(failed()));
    if program.as_bytes().contains(&b'/') {
        return c_string(program);
    }
    let path = environment.iter().find_map(|line| line.to_bytes().strip_prefix(b"PATH="));
    let path = OsStr::from_bytes(path.unwrap_or(DEFAULT_PATH.as_bytes()));
    let mut error = nix::Error::ENOENT;
    if !program.is_empty() {
        for folder in std::env::split_paths(path) {
            // An empty entry is the current directory.
            let candidate = Path::new(".").join(folder).join(program);
            let seen = seen_from_here(command, &candidate);
            match access(&seen, AccessFlags::X_OK) {
                Ok(()) if seen.is_file() => return c_string(candidate.as_os_str()),
                // Told if there is no better one.
                Err(nix::Error::EACCES) => error = nix::Error::EACCES,
                Ok(()) | Err(_) => {}
            }
        }
    }
    Err(Failure::at(failed())(error))
}

/// The child changes its directory first: a relative path starts there.
fn seen_from_here(command: &Command, path: &Path) -> PathBuf {
    command.cwd.as_deref().unwrap_or(Path::new("")).join(path)
}

/// In the child each dup2 closes what had the number before. So a descriptor that has the number of
/// another one, as when two are swapped, or a file was opened while stdin was closed, gets a free one.
fn move_away(fds: &BTreeMap<RawFd, OwnedFd>) -> io::Result<BTreeMap<RawFd, OwnedFd>> {
    let mut moved = BTreeMap::new();
    // Kept open until all have moved, so that nobody gets them.
    let mut taken = Vec::new();
    for (&number, fd) in fds {
        let mut at = fd.as_raw_fd();
        while at != number && fds.contains_key(&at) {
            let copy = fd.try_clone()?;
            at = copy.as_raw_fd();
            taken.extend(moved.insert(number, copy));
        }
    }
    Ok(moved)
}

/// What is done in the child before the program begins.
fn prepare<'fd>(
    command: &Command,
    fds: &BTreeMap<RawFd, BorrowedFd<'fd>>,
) -> Result<Spawn<'fd>, Failure> {
    let mut spawn = Spawn::new().map_err(Failure::at(Failed::Process))?;
    give(&mut spawn, fds, command.close_fds).map_err(Failure::at(Failed::Descriptors))?;
    if let Some(path) = &command.cwd {
        let failed = || Failed::Directory(path.clone());
        let directory = CString::new(path.as_os_str().as_bytes()).map_err(Failure::at(failed()))?;
        spawn.chdir(&directory).map_err(Failure::at(failed()))?;
    }
    set_apart(&mut spawn, command).map_err(Failure::at(Failed::Process))?;
    Ok(spawn)
}

/// Gives the child its descriptors under their numbers, and with `close` no others.
fn give<'fd>(
    spawn: &mut Spawn<'fd>,
    fds: &BTreeMap<RawFd, BorrowedFd<'fd>>,
    close: bool,
) -> io::Result<()> {
    for (&number, &fd) in fds {
        spawn.dup2(fd, number)?;
    }
    if close {
        let kept: Vec<RawFd> = fds.keys().copied().collect();
        spawn.close_from(3, &kept)?;
    }
    Ok(())
}

/// Process group, session, and signals.
fn set_apart(spawn: &mut Spawn<'_>, command: &Command) -> io::Result<()> {
    match command.group() {
        Group::Inherited => {}
        Group::Own => spawn.group(0)?,
        Group::Of(leader) => spawn.group(leader)?,
        Group::Session => spawn.session(),
    }
    if command.restore_signals {
        let default: SigSet = [Signal::SIGPIPE, Signal::SIGXFSZ].into_iter().collect();
        spawn.signals(&SigSet::empty(), &default)?;
    }
    Ok(())
}

/// Tells from what is there now what failed in the child, which had but one number to say it.
fn explain(command: &Command, program: &CStr, error: &ForkError) -> Failure {
    let source = io::Error::from_raw_os_error(error.raw_os_error().unwrap_or_default());
    let (mut hint, path) = (error.hint().map(str::to_owned), program.to_bytes());
    let path = seen_from_here(command, Path::new(OsStr::from_bytes(path)));
    if let Some(directory) = &command.cwd {
        // With a dot, a file is no directory.
        if let Err(errno) = access(&directory.join("."), AccessFlags::X_OK) {
            return Failure::at(Failed::Directory(directory.clone()))(errno);
        }
    }
    let failed = match nix::Error::from_raw(error.raw_os_error().unwrap_or_default()) {
        Errno::EAGAIN | Errno::ENOMEM => Failed::Process,
        Errno::EBADF | Errno::EMFILE => Failed::Descriptors,
        Errno::E2BIG => Failed::Arguments,
        Errno::EPERM | Errno::ESRCH if matches!(command.group, Some(Group::Of(_))) => {
            hint = Some("no such process group in this session".to_owned());
            Failed::Process
        }
        errno => {
            hint = match errno {
                Errno::ENOENT if path.exists() => {
                    Some("it is there: what its first line, `#!`, or its loader names is not")
                }
                Errno::ENOEXEC => {
                    Some("no program for this machine, and no script with a first line `#!`")
                }
                Errno::EACCES => Some("not executable: look at `ls -l` and at the mount"),
                _ => None,
            }
            .map(str::to_owned);
            Failed::Program(command.args[0].clone().into())
        }
    };
    Failure { failed, source, hint }
}
