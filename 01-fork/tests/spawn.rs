//! Promises of `Spawn`: another program in a new process, and what is different in it.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;

use fork::{Child, Signal, Spawn};
use judge::{Judge, check, scenario};
use nix::sys::signal::SigSet;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn shell(spawn: Spawn<'_>, line: &str) -> Result<Child, Box<dyn std::error::Error>> {
    let arguments = [CString::new("sh")?, CString::new("-c")?, CString::new(line)?];
    Ok(spawn.start(c"/bin/sh", &arguments, &[c"A="])?)
}

/// What a shell says.
fn said(spawn: Spawn<'_>, line: &str) -> Result<String, Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join("said");
    shell(spawn, &format!("exec > {}; {line}", path.display()))?.wait()?;
    let text = fs::read_to_string(&path)?;
    fs::remove_file(path)?;
    Ok(text)
}

scenario!(
    fn spawns() -> Outcome {
        let code = shell(Spawn::new()?, "exit 7")?.wait()?.code();
        check("code", code == Some(7), "its code, as of any child");
        let error = Spawn::new()?.start(c"/no/such/program", &[c"x"], &[c"A="]).err();
        let told = error.and_then(|error| error.raw_os_error());
        check("fails", told == Some(libc::ENOENT), "a program that is not there is an error");
        let mut spawn = Spawn::new()?;
        spawn.chdir(c"/proc")?;
        let folder = said(spawn, "pwd")?;
        check("chdir", folder == "/proc\n", &folder);
        let line = "read -r pid name state parent group session rest < /proc/$$/stat
                    [ $pid = $group ] && echo group; [ $pid = $session ] && echo session";
        let mut spawn = Spawn::new()?;
        spawn.group(0)?;
        check("group", said(spawn, line)? == "group\n", "it leads a group, in our session");
        let mut spawn = Spawn::new()?;
        spawn.session();
        check("session", said(spawn, line)? == "group\nsession\n", "it leads a session");
        Ok(())
    }
);

#[test]
fn another_program_starts_as_it_was_asked_for_or_the_error_comes_back() {
    let checks = ["code", "fails", "chdir", "group", "session"];
    Judge::scenario(&spawns).declare(checks).run().assert_clean();
}

scenario!(
    fn closes() -> Outcome {
        let null = File::open("/dev/null")?;
        let list = "for fd in /proc/$$/fd/*; do echo -n ${fd##*/} ''; done";
        let mut spawn = Spawn::new()?;
        for number in [7, 9, 12] {
            spawn.dup2(null.as_fd(), number)?;
        }
        spawn.close_from(3, &[7, 9])?;
        let seen = said(spawn, list)?;
        let open: Vec<&str> = seen.split_whitespace().collect();
        let wanted = ["7", "9"].iter().all(|number| open.contains(number));
        check("kept", wanted && !open.contains(&"12"), &format!("all but these: {open:?}"));
        check("limit", Spawn::new()?.dup2(null.as_fd(), i32::MAX).is_err(), "beyond the limit");
        let line = "while read -r name value; do [ $name = SigBlk: ] && echo $value; done < /proc/$$/status";
        SigSet::from(Signal::SIGTERM).thread_block()?;
        let mut spawn = Spawn::new()?;
        spawn.signals(&SigSet::empty(), &SigSet::empty())?;
        let mask = said(spawn, line)?;
        check("mask", mask == "0000000000000000\n", &mask);
        Ok(())
    }
);

#[test]
fn a_spawned_program_has_the_descriptors_and_signals_that_it_was_given() {
    Judge::scenario(&closes).declare(["kept", "limit", "mask"]).run().assert_clean();
}

scenario!(
    fn signals_a_group() -> Outcome {
        let (mut reader, writer) = io::pipe()?;
        let mut spawn = Spawn::new()?;
        spawn.dup2(writer.as_fd(), 1)?;
        spawn.group(0)?;
        let child = shell(spawn, "sleep 60 & echo; wait")?;
        drop(writer);
        reader.read_exact(&mut [0])?;
        child.signal_group(Signal::SIGKILL)?;
        // Both had the pipe: its end is the end of both.
        reader.read_to_end(&mut Vec::new())?;
        check("killed", child.wait()?.signal() == Some(9), "the leader and its child");
        check("after", child.signal_group(Signal::SIGKILL).is_ok(), "once reaped, nobody");
        Ok(())
    }
);

#[test]
fn a_signal_reaches_the_whole_group_that_a_child_leads() {
    Judge::scenario(&signals_a_group).declare(["killed", "after"]).run().assert_clean();
}
