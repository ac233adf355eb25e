//! What the desk shows of lesson distributed.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        args: &[],
        look: "A server, a master, two workers: four processes. Who waits for whom?",
        seen: "Master and workers never spoke with each other. Each knew an address and a key, and waited in a queue. \
               They could have been on four machines, and one of them could have been in Python.",
    },
    Demo {
        args: &["wc", "09-distributed"],
        look: "A real job: lines, words and bytes of all files of this lesson, counted by two workers over the network.",
        seen: "The same lines as from `pool wc`, and as from GNU `wc`. The workers have seen no file: a task has its \
               contents with it.",
    },
];
