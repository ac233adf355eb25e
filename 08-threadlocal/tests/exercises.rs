//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    request_user,
    "1-request-user",
    right: [catches_the_panic],
    wrong: [
        drops_the_guard_at_once,
        holds_the_borrow,
        one_user_for_all_threads,
        never_restores,
        clears_instead_of_restoring,
        restores_without_a_guard
    ]
);

judge::prove!(
    scratch_buffer,
    "2-scratch-buffer",
    right: [a_stack_of_buffers],
    wrong: [
        does_not_clear,
        a_new_buffer_each_time,
        holds_the_borrow,
        one_buffer_behind_a_lock,
        one_buffer_for_all_threads
    ]
);

judge::prove!(
    per_object,
    "3-per-object",
    right: [an_id_per_object],
    wrong: [
        one_for_all_objects,
        keyed_by_address,
        keyed_by_name,
        keyed_by_pthread_self,
        total_of_the_caller
    ]
);

judge::prove!(
    flush_at_exit,
    "4-flush-at-exit",
    right: [in_batches],
    wrong: [
        one_after_the_other,
        nothing_at_the_end,
        writes_each_line_at_once,
        relies_on_the_end_of_the_scope,
        with_in_a_destructor,
        late_lines_are_lost
    ]
);
