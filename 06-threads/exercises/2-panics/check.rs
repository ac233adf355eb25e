// What `run_all` must do with jobs that panic, in each of the ways to panic.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};

use super::answer::{Job, run_all};

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_panic_is_its_jobs_result),
    Case::of(&every_kind_of_message_is_told),
    Case::of(&all_run_at_the_same_time),
];

fn results_of(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    let got = catch_unwind(AssertUnwindSafe(|| run_all(jobs)));
    require(
        got.is_ok(),
        "one job's panic took the caller down: join gives Err for a panicked thread, keep it as \
         that job's result",
    );
    got.unwrap_or_default()
}

judge::case!(
    fn a_panic_is_its_jobs_result() {
        let got =
            results_of(vec![Box::new(|| 1), Box::new(|| panic!("on purpose")), Box::new(|| 3)]);
        require(
            got.len() == 3,
            "the panicked job vanished from the results: one entry per job, Err for a panic",
        );
        require(
            got[1] != Err("unknown".to_owned()),
            "the message of panic!(\"text\") is a &str, and you say \"unknown\": ask what the \
             value in the payload is, not the Box around it",
        );
        let all = [Ok(1), Err("on purpose".to_owned()), Ok(3)];
        require(
            got == all,
            &format!("the second of three jobs panicked, and the results are {got:?}"),
        );
    }
);

judge::case!(
    fn every_kind_of_message_is_told() {
        let got = results_of(vec![
            Box::new(|| panic!("{} on purpose", std::process::id().min(1))),
            Box::new(|| panic_any(5_u8)),
            Box::new(|| 3),
        ]);
        require(
            got.first() == Some(&Err("1 on purpose".to_owned())),
            &format!(
                "a panic with a value in its text gave {:?}: its payload is a String, not a &str",
                got.first()
            ),
        );
        require(
            got.get(1) == Some(&Err("unknown".to_owned())),
            &format!("the payload 5 is no text: say \"unknown\", and not {:?}", got.get(1)),
        );
        require(got.get(2) == Some(&Ok(3)), "the job after the panics has another result");
    }
);

judge::case!(
    fn all_run_at_the_same_time() {
        let (inside, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let job = || -> Job {
            let (inside, over) = (Arc::clone(&inside), Arc::clone(&over));
            Box::new(move || {
                inside.fetch_add(1, SeqCst);
                let end = Instant::now() + Duration::from_secs(1);
                while inside.load(SeqCst) < 4 && !over.load(SeqCst) {
                    over.fetch_or(Instant::now() > end, SeqCst);
                    judge::exercise::pause(Duration::from_millis(1));
                }
                0
            })
        };
        let got = results_of(vec![job(), job(), job(), job()]);
        require(got.len() == 4, "four jobs have four results");
        require(
            !over.load(SeqCst),
            "the jobs ran one after the other: each was joined before the next was spawned; \
             collect the handles first",
        );
    }
);
