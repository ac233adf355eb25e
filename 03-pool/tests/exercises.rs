//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    parallel_map,
    "1-parallel-map",
    right: [a_thread_reads_each],
    wrong: [
        collects_while_it_starts,
        never_waits,
        waits_before_it_drains,
        whoever_ends_first,
        worker_comes_back
    ]
);

judge::prove!(
    worker_crash,
    "2-worker-crash",
    right: [waits_first],
    wrong: [
        believes_exit_code_0,
        every_crash_is_an_exit,
        keeps_the_write_ends,
        one_crash_fails_the_map,
        takes_a_failed_read_for_a_result
    ]
);

judge::prove!(
    close_join,
    "3-close-and-join",
    right: [drops_copies],
    wrong: [
        joins_without_closing,
        keeps_its_own_write_end,
        keeps_the_earlier_write_ends,
        kills_instead_of_closing,
        unwraps_a_closed_pipe
    ]
);

judge::prove!(
    dynamic,
    "4-dynamic",
    right: [polls],
    wrong: [
        keeps_the_results_write_end,
        never_waits,
        order_of_arrival,
        static_shares,
        workers_keep_the_tasks_write_end,
        writes_all_then_reads
    ]
);
