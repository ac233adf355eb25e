//! What the desk shows of lesson process.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        args: &[],
        look: "Who prints which line, and which line waits for another?",
        seen: "`start` came back at once, the child's line carries the child's process id, and `join` let the parent \
               print its last line only after the child had ended.",
    },
    Demo {
        args: &["value"],
        look: "Values come back from children, small and large. When does a child with a large one end?",
        seen: "At once: it left its answer in memory that both can reach. A pipe would have been full at 64 KiB, \
               and the child would have waited for its reader.",
    },
    Demo {
        args: &["end"],
        look: "A child returns, exits, is terminated, is killed. What is left of each?",
        seen: "A value only of the one that returned. `join` told the others apart, by their code or their signal, \
               and waited for none of them in vain.",
    },
    Demo {
        args: &["panic"],
        look: "A child reads beyond the end of an array. What does its parent get to know, and where?",
        seen: "The message and the line, from `join`, as an error to handle. The child ended with 101, alone; what \
               it said of it is on standard error.",
    },
    Demo {
        args: &["spawn"],
        look: "Once forked, once spawned: what does the child know of its parent's memory and descriptors?",
        seen: "The forked child was a copy, counter and descriptors included. The spawned one had executed the \
               program afresh, and had its arguments and nothing else.",
    },
    Demo {
        args: &["active"],
        look: "Children are started, joined, and forgotten. Who is listed when?",
        seen: "From start to end, whether or not anybody holds the handle. That a forgotten child is listed is also \
               how it comes to be reaped.",
    },
    Demo {
        args: &["sentinel"],
        look: "Three children, told to end in another order than they were started. Who is noticed first?",
        seen: "Whoever ended first. A sentinel is a descriptor: one system call waits for any number of them, and \
               for sockets as well.",
    },
    Demo {
        args: &["daemon"],
        look: "Anna is killed by SIGKILL and can't tell her children. Which of them ends?",
        seen: "Her daemon, by the kernel's hand. Her other child lived on as an orphan, knew that she had ended, and \
               could have gone on for ever.",
    },
];
