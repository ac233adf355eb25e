//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    read_msg,
    "1-read-msg",
    right: [takes_and_reads_to_the_end],
    wrong: [
        one_read_for_the_body,
        believes_the_length,
        checks_after_it_made_room,
        little_endian,
        reads_ahead,
        cut_length_is_a_clean_end,
        gives_up_when_interrupted
    ]
);

judge::prove!(
    auth,
    "2-auth",
    right: [asks_without_waiting],
    wrong: [
        compares_what_came,
        always_the_same_challenge,
        one_read,
        hanging_up_is_an_error,
        no_limit,
        a_limit_for_each_read,
        leaves_the_limit_on
    ]
);

judge::prove!(
    leases,
    "3-leases",
    right: [one_list],
    wrong: [
        take_loses_the_task,
        completes_by_id,
        completes_after_the_end,
        tries_for_ever,
        the_token_is_the_id,
        a_millisecond_too_long,
        a_late_worker_loses_the_task
    ]
);

judge::prove!(
    master,
    "4-master",
    right: [a_task_puts_itself_back],
    wrong: [
        loses_the_task_of_a_failed_worker,
        waits_for_ever,
        asks_under_the_lock,
        sends_idle_workers_home,
        puts_back_quietly,
        wakes_only_one
    ]
);
