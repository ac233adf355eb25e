// Wrong: it checks under one lock, and withdraws under the next.
// Refused by: nobody_overdraws
// Told: check and change under the same lock
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// The checks set this: a pause (in microseconds) before every lock: other threads get in between.
pub static PAUSE: AtomicU64 = AtomicU64::new(0);

pub struct Account {
    pub id: u32,
    balance: Mutex<i64>,
}

impl Account {
    pub fn new(id: u32, balance: i64) -> Account {
        Account { id, balance: Mutex::new(balance) }
    }

    pub fn lock(&self) -> MutexGuard<'_, i64> {
        std::thread::sleep(std::time::Duration::from_micros(PAUSE.load(Ordering::Relaxed)));
        self.balance.lock().unwrap()
    }
}

#[derive(Debug, PartialEq)]
pub struct Insufficient;

/// Move `amount` (>= 0) from one account to the other.
/// Err(Insufficient), and no change, when `from` has less than `amount`. Ids are unique; `from` and
/// `to` may be the same account.
pub fn transfer(from: &Account, to: &Account, amount: i64) -> Result<(), Insufficient> {
    if from.id == to.id {
        return if *from.lock() < amount { Err(Insufficient) } else { Ok(()) };
    }
    if *from.lock() < amount {
        return Err(Insufficient);
    }
    *from.lock() -= amount;
    *to.lock() += amount;
    Ok(())
}
