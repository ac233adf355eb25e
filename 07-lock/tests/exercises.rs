//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    transfer,
    "1-transfer",
    right: [one_lock_at_a_time, one_lock_for_all],
    wrong: [
        gives_before_it_checks,
        locks_one_account_twice,
        locks_again_to_withdraw,
        locks_in_the_order_of_the_arguments
    ]
);

judge::prove!(
    semaphore,
    "2-semaphore",
    right: [waits_with_a_closure],
    wrong: [
        nobody_is_woken,
        spins,
        drops_the_permit_at_once,
        if_instead_of_while,
        if_with_notify_one,
        wakes_for_the_first_permit_only,
        gives_it_back_by_hand
    ]
);

judge::prove!(
    cache,
    "3-cache",
    right: [looks_twice],
    wrong: [
        match_on_the_guard,
        computes_on_a_hit,
        computes_under_the_write_lock,
        inserts_without_looking_again,
        returns_its_own_value
    ]
);

judge::prove!(
    futex_lock,
    "4-futex-lock",
    right: [wakes_always],
    wrong: [
        forgets_the_wake,
        spins,
        waits_for_another_value,
        forgets_the_other_sleepers,
        loads_then_stores
    ]
);
