//! Locks on files, System V objects, memory that processes share.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use judge::{Judge, scenario};
use nix::fcntl::{Flock, FlockArg};

use crate::{program_says, ready, says};

scenario!(
    fn waits_for_a_file_lock() {
        let path = std::env::temp_dir().join("locked");
        let file = File::create(&path).expect("a file");
        // flock(1) takes the lock, and says so through cat, which lives as long as we do.
        let mut holder = Command::new("flock")
            .arg(&path)
            .args(["sh", "-c", "echo locked; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("flock of util-linux");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)
            .expect("a line");
        ready(&[("holder", holder.id().into()), ("fd", file.as_raw_fd().into())]);
        let _ = Flock::lock(file, FlockArg::LockExclusive);
        let _ = holder.wait();
    }
);

#[test]
fn who_waits_for_a_file_lock_knows_who_has_it() {
    says(
        &waits_for_a_file_lock,
        &[
            "waits in flock({fd}) for a lock on /",
            "/locked, which is locked by process {holder} (flock), which waits itself",
        ],
    );
}

#[test]
fn who_waits_for_a_record_lock_knows_who_has_it() {
    let Some(python) = crate::python() else { return };
    let program = "import fcntl, os, sys, tempfile, time\n\
        path = os.path.join(tempfile.gettempdir(), 'record')\n\
        file = open(path, 'w')\n\
        told, tell = os.pipe()\n\
        pid = os.fork()\n\
        if pid == 0:\n    \
            fcntl.lockf(file, fcntl.LOCK_EX)\n    \
            os.write(tell, b'x')\n    \
            time.sleep(600)\n\
        os.read(told, 1)\n\
        print(f'ready holder={pid} fd={file.fileno()}', flush=True)\n\
        fcntl.lockf(file, fcntl.LOCK_EX)\n";
    program_says(
        Judge::program(python).args(["-c", program]),
        &[
            "waits in fcntl({fd}) for a lock on /",
            "/record, which is locked by process {holder} (python3), which waits itself",
        ],
    );
}

#[test]
fn a_lock_that_processes_share_is_a_futex_in_shared_memory() {
    let Some(python) = crate::python() else { return };
    let program = "import multiprocessing\n\
        lock = multiprocessing.Lock()\n\
        lock.acquire()\n\
        print('ready', flush=True)\n\
        lock.acquire()\n";
    let said = program_says(
        Judge::program(python).args(["-c", program]),
        &["waits for a futex in memory that processes share, ", "; the word holds 0"],
    );
    assert!(said[0].ends_with("waits for itself: nobody else can end that"), "{said:?}");
}

#[test]
fn system_v_waits_name_their_object() {
    let Some(perl) = crate::find("perl") else { return };
    // A set of two semaphores that are zero, and an empty queue; both new, and the user's own.
    let semaphore = "$| = 1; $id = semget(0, 2, 01600); print \"ready id=$id\\n\"; \
                     semop($id, pack('s!3', 1, -3, 0));";
    let judge = Judge::program(&perl).args(["-e", semaphore]).isolate();
    program_says(judge, &["waits in semop for semaphore 1 of System V set {id} to be at least 3"]);
    let queue = "$| = 1; $id = msgget(0, 01600); print \"ready id=$id\\n\"; \
                 msgrcv($id, $message, 10, 0, 0);";
    let judge = Judge::program(&perl).args(["-e", queue]).isolate();
    program_says(judge, &["waits in msgrcv for a message in System V queue {id}: it has none"]);
}

#[test]
fn what_may_not_be_looked_at_is_said_to_be_unknown() {
    // Who may execute a program but not read it may not trace it either; root may do everything.
    let script = "cp \"$(command -v sleep)\" $TMPDIR/hidden; chmod 0111 $TMPDIR/hidden; \
                  echo ready; exec $TMPDIR/hidden 600";
    if nix::unistd::geteuid().is_root() {
        eprintln!("NOT TESTED: root may look at everything");
        return;
    }
    program_says(
        Judge::program("/bin/sh").args(["-c", script]),
        &["(hidden) waits in the kernel", "; its system call can't be read (no right to trace it)"],
    );
}
