//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    result_queue,
    "1-result-queue",
    right: [receives_in_a_thread],
    wrong: [parent_keeps_its_sender, waits_before_it_receives, does_not_look_at_the_end, unwraps_the_receive, never_waits]
);

judge::prove!(
    shared_counter,
    "2-shared-counter",
    right: [a_place_for_each],
    wrong: [private_mapping, load_add_store, reads_before_it_waits, one_after_the_other, leaves_the_mapping]
);

judge::prove!(
    sigchld,
    "3-sigchld",
    right: [signalfd],
    wrong: [one_wait_a_signal, blocks_after_the_fork, polls, child_inherits_the_mask, unblocks_at_the_end, waits_for_any_child]
);

judge::prove!(
    bind_socket,
    "4-bind-socket",
    right: [asks_first],
    wrong: [unlinks_first, plain_bind, any_file_is_replaced, any_error_means_dead]
);
