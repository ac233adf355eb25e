//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    exit_code,
    "1-exit-code",
    right: [raw_calls],
    wrong: [returns_into_the_caller, raw_wait_status, signal_without_128, waits_for_any_child]
);

judge::prove!(
    stdout_once,
    "2-stdout-once",
    right: [writes_unbuffered],
    wrong: [
        not_flushed_before_the_fork,
        not_flushed_in_the_child,
        exits_instead_of_exit,
        never_waits
    ]
);

judge::prove!(
    result_back,
    "3-result-back",
    right: [length_first],
    wrong: [
        parent_keeps_the_write_end,
        waits_before_it_reads,
        no_bytes_are_a_result,
        leaks_the_read_end
    ]
);

judge::prove!(
    detach,
    "4-detach",
    right: [reads_to_the_end],
    wrong: [middle_process_not_reaped, pid_of_the_middle_process, no_session, one_fork]
);
