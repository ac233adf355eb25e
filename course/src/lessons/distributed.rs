//! What the desk shows of lesson distributed.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[Demo {
    args: &[],
    look: "A server, a master, two workers: four processes. Who waits for whom?",
    seen: "Master and workers never spoke with each other. Each knew an address and a key, and waited in a queue. \
           They could have been on four machines, and one of them could have been in Python.",
}];
