//! The demo, seen from outside: what each subcommand prints on stdout.

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_fork")).args(arguments).run()
}

/// What it prints, after a run without a fault.
fn printed(arguments: &[&str]) -> String {
    let report = demo(arguments);
    report.assert_clean();
    report.stdout()
}

/// The lines that it prints, with letters for the numbers of its processes: A for the first that is
/// named, B for the second.
fn lines(arguments: &[&str]) -> Vec<String> {
    let printed = printed(arguments);
    let (mut shown, mut pids) = (String::new(), Vec::new());
    let digits = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
    for run in printed.as_bytes().chunk_by(digits) {
        let run = std::str::from_utf8(run).expect("cut beside digits only");
        if !run.starts_with(|first: char| first.is_ascii_digit()) {
            shown += run;
            continue;
        }
        let known = pids.iter().position(|&pid| pid == run);
        let index = known.unwrap_or_else(|| {
            pids.push(run);
            pids.len() - 1
        });
        shown.push(char::from(b'A' + u8::try_from(index).expect("few processes")));
    }
    shown.lines().map(str::to_owned).collect()
}

#[test]
fn without_a_command_both_processes_say_who_they_are() {
    assert_eq!(
        lines(&[]),
        [
            "Process (A) start...",
            "I (A) just created a child process (B).",
            "I am child process (B) and my parent is A.",
        ]
    );
}

#[test]
fn zombie_shows_the_child_before_and_after_the_wait() {
    let lines = lines(&["zombie"]);
    assert_eq!(lines[1], "    A (fork), state Z (zombie), parent B");
    assert!(lines[3].starts_with("Now I wait for it: exit code "), "{}", lines[3]);
    assert_eq!(lines[4], "    no process A");
}

#[test]
fn orphan_says_by_whom_it_was_adopted() {
    let lines = lines(&["orphan"]);
    assert_eq!(lines[0], "I am the grandchild (A), and my parent is B.");
    assert_eq!(lines[1], "I am the child (B), and I end without waiting for A.");
    let adopted = lines[3].strip_prefix("I am still A, and my parent is now ").expect("adopted");
    let (adopter, why) = adopted.split_once(": ").expect("a name and a reason");
    assert!(adopter.ends_with(')'), "{adopter}");
    assert!(why.starts_with("init,") || why.starts_with("a subreaper,"), "{why}");
}

#[test]
fn buffer_is_printed_once_and_on_purpose_twice() {
    let lines = lines(&["buffer"]);
    assert_eq!(lines[0], "[buffered before the fork] [child] [parent]");
    assert_eq!(lines[2], "[buffered before the fork] [child] [buffered before the fork] [parent]");
}

#[test]
fn cow_copies_what_is_written_and_nothing_else() {
    let printed = printed(&["cow"]);
    let own = |step: &str| -> f64 {
        let line = printed.lines().find(|line| line.contains(step)).expect(step);
        let columns: Vec<_> = line.split_whitespace().rev().take(2).collect();
        columns[1].parse().expect("MiB")
    };
    let (forked, read) = (own("just forked"), own("read a byte"));
    assert!(forked < 1.0 && read < 1.0, "{printed}");
    assert!((4.0..5.0).contains(&own("wrote one byte")), "{printed}");
    assert!((64.0..65.0).contains(&own("wrote every byte")), "{printed}");
}

#[test]
fn threads_shows_that_one_of_four_survives() {
    let lines = lines(&["threads"]);
    assert!(lines[0].contains("anna") && lines[0].contains("bert") && lines[0].contains("carl"));
    assert_eq!(lines[1], "I am its child B, with the threads bert.");
}

#[test]
fn lock_shows_a_mutex_shut_and_this_librarys_lock_open() {
    let lines = lines(&["lock"]);
    assert!(lines[1].contains("std::sync::Mutex  is shut"), "{lines:#?}");
    assert!(lines[2].contains("fork::Lock        is open"), "{lines:#?}");
}

#[test]
fn exit_shows_what_arrives_of_a_code() {
    let printed = printed(&["exit"]);
    let arrives = |asked: &str, told: &str| {
        let line = printed.lines().find(|line| line.contains(asked)).expect(asked);
        assert!(line.contains(told), "{line}");
    };
    arrives("exit(255)", "exit code 255");
    arrives("exit(256)", "exit code 0");
    arrives("exit( -1)", "exit code 255");
    arrives("SIGKILL  ", "killed by signal 9 (SIGKILL)");
    arrives("panic!()", "exit code 101");
}

#[test]
fn tree_draws_the_processes_as_they_live() {
    let lines = lines(&["tree"]);
    // Who is below whom. In which order they are drawn is the numbers' affair, which start again.
    let mut path: Vec<&str> = Vec::new();
    let mut family = Vec::new();
    for line in &lines {
        let (indent, process) = line.split_at(line.find(char::is_alphanumeric).expect("a number"));
        path.truncate(indent.chars().count() / 4);
        let (_, name) = process.split_once(' ').expect("a name");
        // Whoever was seen just before it fell asleep.
        let name = name.trim_end_matches(" (sleeping)").trim_end_matches(" (running)");
        path.push(name);
        family.push(path.join(" > "));
    }
    family.sort_unstable();
    let expected = [
        "fork",
        "fork > anna",
        "fork > anna > bert",
        "fork > anna > carl",
        "fork > anna > carl > dora",
        "fork > emil",
        "fork > fork (zombie)",
    ];
    assert_eq!(family, expected, "{lines:#?}");
    let last = lines.iter().rposition(|line| line.starts_with("├── ")).expect("more than one");
    assert!(lines[last + 1..].iter().any(|line| line.starts_with("└── ")), "{lines:#?}");
}

#[test]
fn tree_draws_below_any_process() {
    let me = std::process::id().to_string();
    let printed = printed(&["tree", &me]);
    let (first, below) = printed.split_once('\n').expect("more than one");
    assert!(first.starts_with(&format!("{me} demo")), "{first}");
    assert!(below.contains(" fork (running)"), "it draws itself, too: {below}");

    let report = demo(&["tree", "999999999"]);
    assert_eq!(report.code(), Some(1));
    assert_eq!(report.stderr(), "fork: there is no process 999999999\n");
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["folk"][..], &["zombie", "twice"], &["tree", "x"], &["--folk"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("fork: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `fork --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let printed = printed(&[option]);
        for command in
            ["exit", "zombie", "orphan", "buffer", "cow", "threads", "lock", "tree [PID]"]
        {
            assert!(printed.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
