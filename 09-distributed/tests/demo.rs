//! The demo, seen from outside.

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use distributed::{Manager, RemoteTasks, TaskQueue};

use judge::{Judge, Report};
use support::{PROGRAM, Scratch, key, server};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(PROGRAM).args(arguments).run()
}

#[test]
fn without_a_command_a_master_and_two_workers_do_ten_tasks() {
    let report = demo(&[]);
    report.assert_clean();
    let text = report.stdout();
    let starting = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    let shape = [
        ("Put task ", 10),
        ("Try get results...", 1),
        ("Connect to server 127.0.0.1...", 2),
        ("run task ", 10),
        ("Result: ", 10),
        ("master exit.", 1),
        ("worker exit.", 2),
    ];
    for (start, times) in shape {
        assert_eq!(starting(start), times, "{start}\n{text}");
    }
    assert_eq!(text.lines().count(), 36, "{text}");
    for line in text.lines().filter_map(|line| line.strip_prefix("Put task ")) {
        let number: u64 = line.trim_end_matches("...").parse().expect("a number");
        assert!(text.contains(&format!("\nrun task {number} * {number}...\n")), "{text}");
        assert!(
            text.contains(&format!("\nResult: {number} * {number} = {}\n", number * number)),
            "{text}"
        );
    }
}

judge::scenario! {
    /// Kills the demo in its middle, and waits for the end of everybody whom it had started.
    fn kills_the_demo() -> std::io::Result<()> {
        let mut demo = Command::new(PROGRAM).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(demo.stdout.take().expect("piped")).lines();
        let first = lines.next().expect("it prints")?;
        assert!(first.starts_with("Put task "));
        let children = format!("/proc/{0}/task/{0}/children", demo.id());
        let crew = std::fs::read_to_string(children)?;
        assert!(crew.split_whitespace().count() >= 2, "server and master: {crew}");
        demo.kill()?;
        demo.wait()?;
        let alive = |pid: &str| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z")
        };
        // To the deadline of the judge, if need be.
        while crew.split_whitespace().any(alive) {
            std::thread::yield_now();
        }
        Ok(())
    }
}

#[test]
fn a_demo_that_is_killed_takes_its_crew_with_it() {
    let report = Judge::scenario(&kills_the_demo).run();
    assert_eq!(report.code(), Some(0), "{report}");
}

#[test]
fn a_key_is_made_once_and_for_its_owner_alone() {
    let scratch = Scratch::new("keygen");
    let file = scratch.file("key");
    demo(&["keygen", &file]).assert_clean();
    let meta = std::fs::metadata(&file).expect("it was made");
    assert_eq!((meta.permissions().mode() & 0o777, meta.len()), (0o600, 65));
    let again = demo(&["keygen", &file]);
    assert_eq!(again.code(), Some(1));
    assert!(again.stderr().contains("is there already"), "{again}");

    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).expect("it is ours");
    let open = demo(&["worker", "--key-file", &file]);
    assert_eq!(open.code(), Some(1));
    assert!(open.stderr().contains("mode 0640"), "{open}");
}

#[test]
fn server_master_and_worker_meet_by_a_key_file() {
    let scratch = Scratch::new("key-file");
    let file = scratch.file("key");
    demo(&["keygen", &file]).assert_clean();
    let key = ["--key-file", &*file];
    let mut serving =
        Judge::program(PROGRAM).args(["serve", "--listen", "127.0.0.1:0"]).args(key).start();
    let line = serving.wait_for_line(|line| line.starts_with("Serving "));
    let address = line.rsplit(' ').next().expect("it says where");
    let worker =
        Judge::program(PROGRAM).args(["worker", "--stay", "--connect", address]).args(key).start();
    let master = Judge::program(PROGRAM)
        .args(["master", "--tasks", "3", "--connect", address])
        .args(key)
        .run();
    master.assert_clean();
    assert_eq!(master.stdout().lines().count(), 8, "{master}");
    assert_eq!(master.stderr(), "");
    drop(worker);
    let stranger = Judge::program(PROGRAM).args(["worker", "--connect", address]).run();
    assert_eq!(stranger.code(), Some(1));
    assert!(stranger.stderr().contains("do both sides use the same?"), "{stranger}");
}

#[test]
fn beyond_this_machine_nothing_goes_by_accident() {
    let weak = demo(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(weak.code(), Some(1));
    assert!(weak.stderr().contains("16 bytes"), "{weak}");
    // An address that nobody has (RFC 5737): it is not even tried.
    for command in [
        &["serve", "--listen", "0.0.0.0:0"][..],
        &["serve", "--listen", "[::]:0"],
        &["master", "--connect", "192.0.2.1:5000"],
        &["worker", "--connect", "192.0.2.1:5000"],
        &["stats", "--connect", "192.0.2.1:5000"],
        &["dead", "list", "--connect", "192.0.2.1:5000"],
    ] {
        let with_key = Judge::program(PROGRAM).env("AUTHKEY", "a key that is long enough");
        let plain = with_key.args(command).run();
        assert_eq!(plain.code(), Some(1));
        for what in ["--tls FILE", "--features tls", "--plain"] {
            assert!(plain.stderr().contains(what), "{plain}");
        }
    }
}

#[test]
fn what_was_built_without_tls_says_how_to_have_it() {
    if cfg!(feature = "tls") {
        return;
    }
    let scratch = Scratch::new("no-tls");
    let made = demo(&["keygen", &scratch.file("farm.key")]);
    made.assert_clean();
    assert!(made.stdout().contains("--features tls"), "{made}");
    for command in [["serve", "--listen", "127.0.0.1:0"], ["stats", "--connect", "127.0.0.1:1"]] {
        let refused = Judge::program(PROGRAM).args(command).args(["--tls", "farm.client.pem"]);
        let refused = refused.env("AUTHKEY", "abc").run();
        assert_eq!(refused.code(), Some(1));
        assert!(refused.stderr().contains("--features tls"), "{refused}");
    }
}

#[test]
fn the_tutorials_key_is_warned_of() {
    let server = server();
    let address = server.address().to_string();
    let report = demo(&["worker", "--connect", &address]);
    report.assert_clean();
    assert_eq!(report.stdout(), "Connect to server 127.0.0.1...\nworker exit.\n");
    assert!(report.stderr().contains("the tutorial's `abc`"), "{report}");
}

#[test]
fn bad_input_is_refused_with_a_sentence() {
    let mut cases: Vec<(&[&str], i32, &str)> = vec![
        (&["nonsense"], 2, "no command `nonsense`"),
        (&["master", "--tasks", "many"], 2, "many"),
        (&["worker", "--tasks", "3"], 2, "--tasks"),
        (&["serve", "--connect", "x"], 2, "--connect"),
        (&["keygen"], 2, "name of a file"),
        (&["worker", "extra"], 2, "extra"),
        (&["wc"], 2, "which files"),
        (&["wc", "--plain", "x"], 2, "--connect"),
        (&["worker", "--key-file", "/no/such/file"], 1, "/no/such/file"),
        (
            &["worker", "--connect", "no.such.host.invalid:1"],
            1,
            "no address no.such.host.invalid:1",
        ),
    ];
    if cfg!(not(feature = "redis")) {
        cases.push((&["stats", "--redis", "redis://127.0.0.1"], 2, "--features redis"));
    }
    for (arguments, code, text) in cases {
        let report = demo(arguments);
        assert_eq!(report.code(), Some(code), "{report}");
        assert!(report.stderr().contains(text), "{report}");
    }
}

#[test]
fn help_names_every_command_and_a_closed_pipe_is_no_failure() {
    let help = demo(&["--help"]);
    help.assert_clean();
    for command in ["serve", "master", "worker", "wc", "keygen", "stats", "dead list", "dead retry"]
    {
        assert!(help.stdout().contains(command), "{help}");
    }
    // At once; and when it is the workers whom nobody reads any more, with all tasks put and no result there.
    let late = "while read line && [[ $line != Try* ]]; do :; done";
    for reader in ["head -1", late] {
        let closed = Judge::program("/bin/bash")
            .args(["-c", &format!("{PROGRAM} | ({reader}); exit ${{PIPESTATUS[0]}}")])
            .run();
        assert_eq!(closed.code(), Some(0), "{closed}");
    }
}

#[test]
fn what_cannot_be_done_is_listed_with_its_reason_and_tried_again_on_request() {
    let mut serving = Judge::program(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("AUTHKEY", "abc")
        .start();
    let line = serving.wait_for_line(|line| line.starts_with("Serving "));
    let address = line.rsplit(' ').next().expect("it says where").to_owned();
    let manager =
        Manager::connect(address.parse().expect("an address"), &key()).expect("it is there");
    let mut tasks = manager.queue("get_task_queue").expect("it is registered");
    tasks.put("no number").expect("there is room");
    let run = |arguments: &[&str]| {
        let demo = Judge::program(PROGRAM).args(arguments).args(["--connect", &address]);
        let report = demo.env("AUTHKEY", "abc").run();
        assert_eq!(report.code(), Some(0), "{report}");
        report.stdout()
    };
    let stats = |dead: &str| {
        let shown = run(&["stats", "--once"]);
        assert!(shown.contains(&format!("dead {dead:>11}\n")), "{shown}");
    };
    let mut worker = Judge::program(PROGRAM)
        .args(["worker", "--stay", "--connect", &address])
        .env("AUTHKEY", "abc")
        .start();
    worker.wait_for_line(|line| line.starts_with("Connect to server "));
    let mut lent =
        RemoteTasks::open(&manager, "get_task_queue", Duration::ZERO).expect("it has leases");
    while lent.stats().expect("it answers").dead == 0 {
        std::thread::yield_now();
    }
    stats("1");
    let listed = run(&["dead", "list"]);
    assert_eq!(listed, "Str(\"no number\"): tried 5 times; Str(\"no number\") is no number\n");
    drop(worker);
    assert_eq!(run(&["dead", "retry"]), "1 tasks are to be tried again\n");
    stats("0");
}
