use std::cell::Cell;
use std::thread;

use lock::RLock;

use super::Outcome;

struct Account {
    balance: RLock<Cell<i64>>,
}

impl Account {
    fn add(&self, n: i64) {
        let balance = self.balance.lock();
        println!("    add({n}) holds the lock {} times", self.balance.depth());
        balance.set(balance.get() + n);
    }

    /// Calls a method that takes the same lock. A mutex would wait for its own thread, for ever.
    fn there_and_back(&self, n: i64) {
        let _balance = self.balance.lock();
        self.add(n);
        self.add(-n);
    }
}

pub(crate) fn run() -> Outcome {
    let account = Account { balance: RLock::new(Cell::new(0)) };
    println!("there_and_back(5) takes the lock, and calls add, which takes it again:");
    account.there_and_back(5);
    let _balance = account.balance.lock();
    let stranger = thread::scope(|scope| {
        scope.spawn(|| account.balance.try_lock().is_some()).join().unwrap_or_default()
    });
    println!("I hold it {} time. May another thread have it? {stranger}", account.balance.depth());
    Ok(())
}
