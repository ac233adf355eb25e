//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    par_map,
    "1-par-map",
    right: [takes_the_next],
    wrong: [lazy_chain, rounds_down, as_they_finish, a_thread_an_item, swallows_a_panic]
);

judge::prove!(
    panics,
    "2-panics",
    right: [catches_them],
    wrong: [unwraps_the_join, drops_the_panicked, forgets_string, one_after_the_other, asks_the_box]
);

judge::prove!(
    worker_pool,
    "3-worker-pool",
    right: [std_channels],
    wrong: [original_sender_lives_on, sends_all_first, empty_is_finished, one_at_a_time, unbounded]
);

judge::prove!(
    ticker,
    "4-ticker",
    right: [condvar],
    wrong: [joins_with_its_sender_alive, sleeps_the_whole_period, does_not_join, unwraps_the_join]
);
