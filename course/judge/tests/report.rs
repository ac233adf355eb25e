//! What a run tells of the program.

use std::time::Duration;

use judge::Judge;

judge::scenario!(
    fn greets() {
        println!("hello from {}", std::process::id());
        judge::check("greeted", true, "nobody was greeted");
    }
);

#[test]
fn a_scenario_runs_in_a_process_of_its_own() {
    let report = Judge::scenario(&greets).declare(["greeted"]).run();
    report.assert_clean();
    assert_eq!(report.stdout(), format!("hello from {}\n", report.pid()));
}

#[test]
fn a_check_that_never_reported_is_a_failure() {
    let report = Judge::scenario(&greets).declare(["greeted", "thanked"]).run();
    assert!(report.verdict().unwrap_err().contains("thanked"), "{report}");
}

judge::scenario!(
    fn panics() {
        panic!("on purpose");
    }
);

#[test]
fn a_panic_is_exit_code_101_and_its_message_is_kept() {
    let report = Judge::scenario(&panics).run();
    assert_eq!(report.code(), Some(101), "{report}");
    assert!(report.stderr().contains("on purpose"), "{report}");
}

#[test]
fn a_program_that_does_not_end_is_ended_at_the_deadline() {
    let report = Judge::program("/bin/cat").deadline(Duration::from_millis(300)).start().finish();
    report.assert_clean();
    let report = Judge::program("/bin/sleep").arg("60").deadline(Duration::from_millis(300)).run();
    assert!(report.timed_out(), "{report}");
    assert!(!report.stuck().is_empty(), "{report}");
}

#[test]
fn a_running_program_can_be_talked_to() {
    let mut running = Judge::program("/bin/cat").start();
    running.write_stdin("hello\n");
    assert_eq!(running.read_line().as_deref(), Some("hello"));
    running.finish().assert_clean();
}
