//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    start_join,
    "1-start-join",
    right: [keeps_the_status],
    wrong: [
        panic_unwinds_through_the_caller,
        join_does_not_remember,
        eintr_is_an_error,
        start_waits
    ]
);

judge::prove!(
    is_alive,
    "2-is-alive",
    right: [looks_without_reaping],
    wrong: [asks_with_signal_zero, throws_the_status_away, blocks, waits_for_any_child]
);

judge::prove!(
    stop,
    "3-stop",
    right: [waits_in_a_thread],
    wrong: [
        waits_without_a_limit,
        kills_at_once,
        sleeps_the_whole_grace,
        killed_and_not_waited_for
    ]
);

judge::prove!(
    fork_with_threads,
    "4-fork-with-threads",
    right: [writes_it_all],
    wrong: [child_takes_a_lock, println_in_the_child, logs_after_the_fork, exits_instead_of_exit]
);
