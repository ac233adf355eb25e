//! Locks on files, System V objects, memory that processes share.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use judge::{Judge, check, scenario};
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
