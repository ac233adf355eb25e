//! Promises of pipelines: what flows through, and how each program ended.

use std::fs;
use std::time::{Duration, Instant};

use judge::{Judge, check, scenario};
use subprocess::{Command, Error, PIPE};

fn shell(line: &str) -> Command {
    Command::shell(line)
}

scenario!(
    fn tells_each_status() -> Result<(), Error> {
        let line = || shell("echo a; exit 3") | shell("cat; exit 0") | shell("cat >&2; exit 0");
        let done = line().run()?;
        let codes: Vec<_> = done.stages.iter().map(|stage| stage.returncode()).collect();
        check("each", codes == [3, 0, 0], &format!("{codes:?}"));
        check("last", done.status().success(), "nothing said, the last one counts");
        let done = line().pipefail(true).run()?;
        check("pipefail", done.status().code() == Some(3), "with pipefail, one that failed");
        let error = line().pipefail(true).check(true).run().err();
        let named = matches!(&error, Some(Error::Called(it)) if it.args[2] == "echo a; exit 3");
        check("checked", named, "and the error names it");
        let last = (shell("exit 3") | shell("exit 4")).pipefail(true).run()?;
        check("rightmost", last.status().code() == Some(4), "of two the last one, as in bash");
        Ok(())
    }
);

#[test]
fn a_pipeline_tells_how_each_of_its_programs_ended() {
    let checks = ["each", "last", "pipefail", "checked", "rightmost"];
    Judge::scenario(&tells_each_status).declare(checks).run().assert_clean();
}

scenario!(
    fn writes_for_ever() -> Result<(), Error> {
        let head = Command::new(["head", "-n", "2"]).stdout(PIPE);
        let done = (Command::new(["yes"]) | Command::new(["cat"]) | head).run()?;
        let codes: Vec<_> = done.stages.iter().map(|stage| stage.returncode()).collect();
        check("signal", codes == [-13, -13, 0], &format!("{codes:?}"));
        check("output", done.stages[2].stdout == b"y\ny\n", "what the last one wrote");
        Ok(())
    }
);

#[test]
fn a_program_without_a_reader_is_ended_by_sigpipe() {
    Judge::scenario(&writes_for_ever).declare(["signal", "output"]).run().assert_clean();
}

scenario!(
    fn carries_much() -> Result<(), Error> {
        let input: Vec<u8> = (0..8_u32 << 20).map(|index| (index % 251) as u8).collect();
        let cat = || shell("cat; echo said >&2").stderr(PIPE);
        let done = (cat().input(input.clone()) | cat() | cat().stdout(PIPE)).run()?;
        check("whole", done.stages[2].stdout == input, "all of it arrived");
        let said = done.stages.iter().all(|stage| stage.stderr == b"said\n");
        check("stderr", said, "each one's stderr is its own");
        let sorted = Command::new(["sort"]).input("b\na\n") | Command::new(["tr", "a-z", "A-Z"]);
        check("output", sorted.check_output()? == b"A\nB\n", "check_output gives the last one's");
        Ok(())
    }
);

#[test]
fn input_larger_than_all_pipes_goes_through_a_pipeline() {
    Judge::scenario(&carries_much).declare(["whole", "stderr", "output"]).run().assert_clean();
}

scenario!(
    fn redirects_in_the_middle() -> Result<(), Box<dyn std::error::Error>> {
        let path = std::env::temp_dir().join("aside");
        let aside = shell("echo aside").stdout(fs::File::create(&path)?);
        let done = (aside | Command::new(["cat"]).stdout(PIPE)).run()?;
        check("empty", done.stages[1].stdout.is_empty(), "the next one has nothing to read");
        check("file", fs::read(&path)? == b"aside\n", "it went where it was told to");
        let own = Command::new(["cat"]).stdin(fs::File::open(&path)?);
        check(
            "own",
            (shell("echo piped") | own).check_output()? == b"aside\n",
            "a file goes first",
        );
        fs::remove_file(path)?;
        Ok(())
    }
);

#[test]
fn a_redirection_inside_a_pipeline_goes_first_as_in_a_shell() {
    let checks = ["empty", "file", "own"];
    Judge::scenario(&redirects_in_the_middle).declare(checks).run().assert_clean();
}

scenario!(
    fn times_out() -> Result<(), Error> {
        let line = shell("echo partial; sleep 60 & wait")
            | shell("setsid sleep 60 & (sleep 60 &); cat; wait")
            | shell("cat; sleep 60").stdout(PIPE);
        let start = Instant::now();
        let result = line.timeout(Duration::from_secs(1)).run();
        check("time", start.elapsed() < Duration::from_secs(10), "on time");
        let Err(Error::Timeout(expired)) = result else { return Ok(()) };
        check("status", expired.status.and_then(|it| it.signal()) == Some(9), "they were killed");
        check("partial", expired.stdout == b"partial\n", "and what came out is there");
        let names = expired.args.iter().filter(|word| *word == "|").count();
        check("names", names == 2, &expired.to_string());
        Ok(())
    }
);

#[test]
fn a_timeout_ends_the_whole_pipeline_and_what_it_started() {
    // That nobody is left is for the judge to see.
    let checks = ["time", "status", "partial", "names"];
    Judge::scenario(&times_out).declare(checks).run().assert_clean();
}

scenario!(
    fn does_not_start() -> Result<(), Error> {
        for missing in 0..3 {
            let stage = |index| match index == missing {
                true => Command::new(["no-such-program"]),
                false => shell("sleep 60 & wait"),
            };
            let start = Instant::now();
            let error = (stage(0) | stage(1) | stage(2)).run().err();
            check("named", matches!(&error, Some(Error::Start(it)) if it.is_not_found()), "it is");
            check("soon", start.elapsed() < Duration::from_secs(10), "nobody waits for the others");
        }
        Ok(())
    }
);

#[test]
fn if_one_of_a_pipeline_does_not_start_the_others_are_ended() {
    Judge::scenario(&does_not_start).declare(["named", "soon"]).run().assert_clean();
}
