//! What the desk shows of lesson pool.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        args: &[],
        look: "Five tasks, four workers: which process runs task 4, and when does it start?",
        seen: "Tasks 0 to 3 began at once, each in a worker of its own. Task 4 waited for the first worker that was \
               free, and has its process id.",
    },
    Demo {
        args: &["faults"],
        look: "Five tasks, of which one panics, one exits, one crashes and one never ends. What does the caller see?",
        seen: "Four errors that tell which was which, and a pool that has two workers as before. A panic cost nothing, \
               the other three a process.",
    },
    Demo {
        args: &["wc", "03-pool"],
        look: "A real job: lines, words and bytes of all files of this lesson, counted in parallel.",
        seen: "The same lines in the same form as GNU `wc` prints them. On a terminal and with more to do there is a \
               progress bar; try it on your home folder.",
    },
];
