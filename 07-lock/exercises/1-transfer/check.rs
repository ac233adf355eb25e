// What `transfer` must do. The pause before every lock lets the other threads in at the worst moment, again and again.

use std::sync::Barrier;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use judge::exercise::{Case, require};

use super::answer::{Account, Insufficient, PAUSE, transfer};

pub(crate) const CASES: &[Case] = &[
    Case::of(&money_moves_or_nothing_changes)
        .within(Duration::from_secs(1))
        .hang("hang: a single transfer between two accounts does not end; do you lock one of them twice?"),
    Case::of(&an_account_to_itself).within(Duration::from_secs(1)).hang(
        "deadlock with yourself: from and to are the same account, and you lock it a second time \
         while you hold it; compare the ids first",
    ),
    Case::of(&nobody_overdraws)
        .within(Duration::from_secs(5))
        .hang("hang: transfers in one direction wait for each other; who holds which lock?"),
    Case::of(&opposite_transfers_end).within(Duration::from_millis(1500)).hang(
        "deadlock: two opposite transfers hold one lock each and wait for the other; always lock in \
         the same order (smaller id first)",
    ),
];

const ROUNDS: usize = 8;

judge::case!(
    fn money_moves_or_nothing_changes() {
        let (a, b) = (Account::new(1, 100), Account::new(2, 10));
        require(transfer(&a, &b, 30) == Ok(()), "a transfer of 30 out of 100 was refused");
        require(
            (*a.lock(), *b.lock()) == (70, 40),
            "after a transfer of 30 the two balances are not 30 less and 30 more",
        );
        require(
            transfer(&b, &a, 41) == Err(Insufficient),
            "a transfer of 41 out of 40 was not refused",
        );
        require(
            (*a.lock(), *b.lock()) == (70, 40),
            "a refused transfer changed a balance: check first, and change nothing before",
        );
        require(
            transfer(&b, &a, 40) == Ok(()),
            "a transfer of all that is there was refused: only less than `amount` is too little",
        );
        require(
            (*a.lock(), *b.lock()) == (110, 0),
            "after a transfer of all that was there the balances are wrong",
        );
    }
);

judge::case!(
    fn an_account_to_itself() {
        let a = Account::new(1, 100);
        require(transfer(&a, &a, 30) == Ok(()), "a transfer from an account to itself was refused");
        require(*a.lock() == 100, "a transfer from an account to itself changed its balance");
        require(
            transfer(&a, &a, 101) == Err(Insufficient),
            "an account sent itself more than it has: the check holds here, too",
        );
    }
);

judge::case!(
    fn nobody_overdraws() {
        PAUSE.store(5_000, Relaxed);
        for _ in 0..ROUNDS {
            let (a, b) = (Account::new(1, 100), Account::new(2, 0));
            let start = Barrier::new(4);
            let paid = thread::scope(|s| {
                let withdraw = || {
                    start.wait();
                    transfer(&a, &b, 60).is_ok()
                };
                let all: Vec<_> = (0..4).map(|_| s.spawn(withdraw)).collect();
                all.into_iter().filter_map(|one| one.join().ok()).filter(|paid| *paid).count()
            });
            let (left, got) = (*a.lock(), *b.lock());
            require(
                left >= 0,
                "the balance went below zero: you check, unlock and lock again to withdraw; check \
                 and change under the same lock",
            );
            require(
                left + got == 100,
                "money was lost or made: a balance was read under one lock, and written under the \
                 next; read and write it under the same lock",
            );
            require(
                paid == 1 && got == 60,
                "four threads wanted 60 of 100, and not exactly one got it: what you return and what \
                 you move must be decided under one lock",
            );
        }
    }
);

judge::case!(
    fn opposite_transfers_end() {
        PAUSE.store(5_000, Relaxed);
        let (a, b) = (Account::new(1, 100), Account::new(2, 100));
        let start = Barrier::new(2);
        let run = |from: &Account, to: &Account| {
            for _ in 0..ROUNDS {
                start.wait();
                require(
                    transfer(from, to, 1) == Ok(()),
                    "with enough on both accounts an opposite transfer was refused",
                );
            }
        };
        thread::scope(|s| {
            s.spawn(|| run(&a, &b));
            s.spawn(|| run(&b, &a));
        });
        require(
            (*a.lock(), *b.lock()) == (100, 100),
            "as much went to and fro, and the balances changed: an update was lost",
        );
    }
);
