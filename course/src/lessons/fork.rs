//! What the desk shows of lesson fork.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        args: &[],
        look: "Three lines, two process ids. Which process prints which line?",
        seen: "Two processes ran the same program from the fork on. The child's parent is the one that forked, and \
               the order of the last two lines is the scheduler's.",
    },
    Demo {
        args: &["exit"],
        look: "What a parent is told: a code, a signal, a panic. What becomes of `exit(256)`?",
        seen: "A code is one byte, so 256 arrived as 0: as success. A signal is no code. The panic ended the child \
               alone, with 101, and its message is on standard error.",
    },
    Demo {
        args: &["zombie"],
        look: "The child's state after it has ended and before anyone has waited for it.",
        seen: "It was a zombie: of it there was left its number and its exit code, which the kernel keeps until the \
               parent asks. The wait asked, and the process was gone.",
    },
    Demo {
        args: &["orphan"],
        look: "A child's parent ends before it does. Who is its parent then?",
        seen: "Nobody is left without one: the kernel gave it to init, or to a nearer process that has asked for \
               orphans. (The desk runs each demo below such a one, to lose nobody.)",
    },
    Demo {
        args: &["buffer"],
        look: "Something is buffered before the fork. How often is it printed?",
        seen: "Once with the lesson's fork, twice with the bare system call: a buffer is memory, the child has a \
               copy of it, and both wrote theirs.",
    },
    Demo {
        args: &["cow"],
        look: "How much memory is the child's own: at first, after it reads, after it writes?",
        seen: "The fork copied no memory. Both had the same pages until one of them wrote, and then the kernel \
               copied that page and no other.",
    },
    Demo {
        args: &["threads"],
        look: "A process with four threads forks. Which threads has the child?",
        seen: "One: the thread that forked. The others were not ended in it, they never were.",
    },
    Demo {
        args: &["lock"],
        look: "One of the threads that the child does not have held two locks. Can the child open them?",
        seen: "The standard library's stays shut for ever, as whoever would open it is not there. The lesson's was \
               built to be open in a child.",
    },
    Demo {
        args: &["tree"],
        look: "Children that fork children: who is whose parent, and who is dead?",
        seen: "The tree as it lived, drawn from /proc. `cargo run -p fork -- tree 1` draws that of your machine.",
    },
];
