//! The demo, seen from outside: what each subcommand prints on stdout.

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_threadlocal")).args(arguments).run()
}

/// What it prints, after a run without a fault.
fn printed(arguments: &[&str]) -> String {
    let report = demo(arguments);
    report.assert_clean();
    report.stdout()
}

#[test]
fn without_a_command_each_thread_greets_its_own_student() {
    assert_eq!(printed(&[]), "Hello, Alice (in Thread-A)\nHello, Bob (in Thread-B)\n");
}

#[test]
fn object_shows_who_sees_what_and_who_drops_it() {
    let printed = printed(&["object"]);
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], "Two objects, one thread: here is 1, there is 0.");
    assert_eq!(lines[1], "Another thread: here is 0.");
    assert_eq!(lines[3], "    its value is dropped on the thread anna");
    assert_eq!(lines[5], "    no");
    assert_eq!(lines[7..], ["    its value is dropped on the thread main", "    and carl lives."]);
}

#[test]
fn order_shows_rusts_first_and_cs_last() {
    let printed = printed(&["order"]);
    let dropped: Vec<_> = printed
        .lines()
        .filter_map(|line| line.trim().strip_suffix(" is dropped on the thread anna"))
        .collect();
    let expected = [
        "thread_local! 2",
        "Local 2",
        "Local 1",
        "thread_local! 1",
        "pthread key 1",
        "pthread key 2",
    ];
    assert_eq!(dropped, expected);
}

#[test]
fn key_shows_what_c_forgets_and_where_it_ends() {
    let printed = printed(&["key"]);
    assert!(printed.contains("    its value is dropped on the thread anna\n"), "{printed}");
    assert!(!printed.contains("ever drops is dropped"), "{printed}");
    assert!(printed.contains(" more: Resource temporarily unavailable"), "{printed}");
}

#[test]
fn pool_shows_the_user_of_before_and_how_not_to() {
    let printed = printed(&["pool"]);
    let seen: Vec<_> = printed.lines().filter(|line| line.contains("no login")).collect();
    assert!(seen[0].ends_with("runs as Alice") && seen[1].ends_with("runs as nobody"), "{seen:?}");
}

#[test]
fn fork_shows_a_copy_and_a_value_without_a_thread() {
    let printed = printed(&["fork"]);
    assert!(printed.contains("In the child the number is 5:"), "{printed}");
    assert!(printed.contains("In the parent the number is still 5."), "{printed}");
    assert_eq!(printed.matches("a value is dropped on the thread anna").count(), 1, "{printed}");
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["objekt"][..], &["object", "twice"], &["--object"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("threadlocal: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `threadlocal --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let printed = printed(&[option]);
        for command in ["object", "order", "key", "pool", "fork"] {
            assert!(printed.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
