//! What the desk shows of lesson threadlocal.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        args: &[],
        look: "Two threads ask one global name for their student. Who is greeted where?",
        seen: "Each thread found its own value under the same name. Nothing was shared, so nothing was locked.",
    },
    Demo {
        args: &["object"],
        look: "A value per thread and per object. It has two ends that can come first: which drops it, and on which \
               thread?",
        seen: "The thread's end on that thread, the object's end on the thread that dropped it. And no thread inherited.",
    },
    Demo {
        args: &["order"],
        look: "A thread with six values of three kinds ends. Guess the order.",
        seen: "Rust's last begun first, with all Locals at the place of the first of them; the C library's after those.",
    },
    Demo {
        args: &["key"],
        look: "What C has for the same. What becomes of a value whose key goes?",
        seen: "Nothing, for ever: the C library keeps no list of who has one. And a process has about a thousand keys.",
    },
    Demo {
        args: &["pool"],
        look: "One thread, three requests, and the second has no user. As whom does it run?",
        seen: "As the one before. Whoever sets a thread's value for a task takes it back at the task's end.",
    },
    Demo {
        args: &["fork"],
        look: "Two threads with a value each, and one of them forks. What is in the child?",
        seen: "Copies of both values and one of the threads. Nobody in the child ever ends the other one.",
    },
];
