use std::time::Duration;

use super::*;
use crate::engine::{Settings, Want};
use crate::job::{Job, Load};
use crate::pump::Pump;

#[test]
fn nothing_more_begins_in_a_worker_whose_time_is_over() {
    // Without a process: between the look and the kill a worker might be done with one task and
    // begin the next, and no test could wait for that moment. Here the worker is this test.
    let settings = Settings { timeout: Some(Duration::ZERO), ..Settings::default() };
    let pump = Pump::new(settings, None).expect("two descriptors");
    let (mut slot, ..) = Slot::new(1).expect("memory");
    let (job, spare) = (Job::open(None), Arc::default());
    let load = Arc::new(Load { job, entry: [0; 16], bytes: Vec::new(), spare });
    for number in [0, 1] {
        let part = Part { load: load.clone(), number, range: 0..0, deaths: 0 };
        slot.give(part).expect("there is room");
    }
    assert!(link::claim(&slot.words[link::CLAIMS], slot.epoch), "the first begins");
    let epoch = slot.epoch;
    let mut engine = pump.lock();
    engine.slots.push(slot);
    engine.time();
    let slot = &engine.slots[0];
    assert!(slot.timed_out);
    assert!(!link::claim(&slot.words[link::CLAIMS], epoch), "the second does not");
    assert_eq!((slot.flight.len(), engine.queue.len()), (1, 1), "it waits for another worker");
}

#[test]
fn a_worker_that_has_read_what_was_taken_back_from_it_is_given_what_waits_for_the_room() {
    // Without a process: the moment between its look and our sleep is one that no test could wait for.
    let pump = Pump::new(Settings::default(), None).expect("two descriptors");
    let (mut slot, ..) = Slot::new(1).expect("memory");
    let (job, spare) = (Job::open(None), Arc::default());
    let bytes = vec![1; link::LARGE * 8];
    let load = Arc::new(Load { job, entry: [0; 16], bytes, spare });
    let part = Part { load, number: 0, range: 0..link::LARGE * 8, deaths: 0 };
    let mut worker = (Reader::new(link::TASKS), Reader::new(link::TASKS_BULK));
    while slot.give(part.clone()).is_ok() {}
    slot.take_back();
    let mut engine = pump.lock();
    engine.slots.push(slot);
    engine.submit([part], false);
    assert_eq!(engine.queue.len(), 1, "there is no room");
    assert!(!engine.has_work());
    engine.ask_to_be_woken(Want::Nothing);
    assert_ne!(engine.slots[0].words[link::WAKE_AT].load(SeqCst), 0, "it is to tell of room");
    let words = &engine.slots[0].words;
    let mut scratch = vec![0; link::WORDS * 8];
    while !worker.0.is_empty(words) {
        worker.0.read(words, &mut scratch);
    }
    worker.1.read(words, &mut scratch);
    worker.0.release(words);
    worker.1.release(words);
    assert!(engine.has_work());
    engine.turn();
    assert_eq!((engine.queue.len(), engine.slots[0].flight.len()), (0, 1));
}
