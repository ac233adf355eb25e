//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    run,
    "1-run",
    right: [spawns_and_waits],
    wrong: [
        a_signal_is_success,
        asks_a_shell,
        hands_on_its_streams,
        lossy_arguments,
        missing_is_127,
        never_waits
    ]
);

judge::prove!(
    communicate,
    "2-communicate",
    right: [std_reads],
    wrong: [
        a_broken_pipe_is_an_error,
        keeps_stdin_open,
        stderr_then_stdout,
        stdout_then_stderr,
        writes_all_then_reads
    ]
);

judge::prove!(
    timeout,
    "3-timeout",
    right: [polls_the_pipe],
    wrong: [
        killed_and_not_waited_for,
        asks_with_sigterm,
        kills_its_own_group,
        kills_only_at_the_limit,
        kills_the_shell_only,
        leaves_the_grandchild,
        reads_after_the_end,
        sleeps_the_whole_limit
    ]
);

judge::prove!(
    pipeline,
    "4-pipeline",
    right: [std_pipes],
    wrong: [
        a_signal_is_code_0,
        keeps_the_commands,
        keeps_the_read_ends,
        waits_before_it_reads,
        waits_for_each_stage,
        waits_for_the_last_only
    ]
);
