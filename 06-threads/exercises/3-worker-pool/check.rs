// What `process` must do: few jobs show who never drops a sender, many show who blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};

use super::answer::process;

pub(crate) const CASES: &[Case] = &[
    Case::of(&jobs_that_come_slowly_are_all_done).within(Duration::from_secs(1)).hang(
        "hang after the last result: the Sender you cloned from is still alive, so the receiver \
         loop never ends; drop it after the workers have their clones",
    ),
    Case::of(&a_thousand_jobs_are_done).hang(
        "hang with many jobs: you send all jobs before you receive a result, and both bounded \
         channels are full; send from a thread of its own",
    ),
    Case::of(&the_workers_work_at_once),
    Case::of(&a_full_channel_holds_the_producer_back),
];

judge::case!(
    fn jobs_that_come_slowly_are_all_done() {
        let slowly = (0..3).inspect(|_| judge::exercise::pause(Duration::from_millis(50)));
        let got = catch_unwind(AssertUnwindSafe(|| process(slowly, 2, |job| job * 10)));
        let mut got = got.unwrap_or_default();
        got.sort_unstable();
        require(
            got.len() >= 3,
            &format!(
                "jobs came slowly, and of three {} were done: empty is not finished; a worker \
                 ends when recv says that all senders are gone",
                got.len()
            ),
        );
        require(got == [(0, 0), (1, 10), (2, 20)], &format!("of the jobs 0, 1, 2 it made {got:?}"));
    }
);

judge::case!(
    fn a_thousand_jobs_are_done() {
        let mut got = process(0..1000, 4, |job| job + 1);
        got.sort_unstable();
        require(got.len() == 1000, &format!("of 1000 jobs there are {} results", got.len()));
        let all: Vec<(u64, u64)> = (0..1000).map(|job| (job, job + 1)).collect();
        require(got == all, "the results belong to other jobs");
    }
);

judge::case!(
    fn the_workers_work_at_once() {
        let (inside, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        process(0..3, 3, |job| {
            inside.fetch_add(1, SeqCst);
            let end = Instant::now() + Duration::from_secs(1);
            while inside.load(SeqCst) < 3 && !over.load(SeqCst) {
                over.fetch_or(Instant::now() > end, SeqCst);
                judge::exercise::pause(Duration::from_millis(1));
            }
            job
        });
        require(
            !over.load(SeqCst),
            "one worker works at a time: is something locked, or joined, while f runs?",
        );
    }
);

judge::case!(
    fn a_full_channel_holds_the_producer_back() {
        let pulled = AtomicUsize::new(0);
        let held_back = AtomicBool::new(false);
        let jobs = (0..200).inspect(|_| {
            pulled.fetch_add(1, SeqCst);
        });
        process(jobs, 2, |job| {
            // No worker goes on before the producer is ahead, or was held back for a while.
            let end = Instant::now() + Duration::from_millis(200);
            while !held_back.load(SeqCst) && pulled.load(SeqCst) < 100 {
                held_back.fetch_or(Instant::now() > end, SeqCst);
                judge::exercise::pause(Duration::from_millis(1));
            }
            job
        });
        require(
            held_back.load(SeqCst),
            "a hundred jobs were taken before the first was done: a producer that is faster fills \
             the memory; give the channels capacity 4",
        );
    }
);
