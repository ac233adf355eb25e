//! The lessons: one table, and whatever the desk says of a lesson is in it.

/// One lesson.
#[derive(Debug)]
pub(crate) struct Lesson {
    pub(crate) number: u8,
    /// The package, and the program in it.
    pub(crate) name: &'static str,
    /// What the lesson answers.
    pub(crate) question: &'static str,
    /// Empty as long as the lesson is not written.
    pub(crate) demos: &'static [Demo],
}

impl Lesson {
    /// The lesson's folder below the course's.
    pub(crate) fn folder(&self) -> String {
        format!("{:02}-{}", self.number, self.name)
    }
}

/// One run of a lesson's program.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) args: &'static [&'static str],
    /// Said before it: where to look, and what to guess.
    pub(crate) look: &'static str,
    /// Said after it: what was to be seen, and why it is so.
    pub(crate) seen: &'static str,
}

/// In the order of reading.
pub(crate) const LESSONS: &[Lesson] = &[
    Lesson { number: 1, name: "fork", question: "How does one process become two?", demos: FORK },
    Lesson {
        number: 2,
        name: "process",
        question: "How do I run a function in its own process?",
        demos: PROCESS,
    },
    Lesson {
        number: 3,
        name: "pool",
        question: "How do many tasks share a few processes?",
        demos: POOL,
    },
    Lesson {
        number: 4,
        name: "subprocess",
        question: "How do I run other people's programs?",
        demos: SUBPROCESS,
    },
    Lesson { number: 5, name: "ipc", question: "How do processes pass data on?", demos: &[] },
    Lesson { number: 6, name: "threads", question: "How do tasks share one process?", demos: &[] },
    Lesson { number: 7, name: "lock", question: "Who may touch what, and when?", demos: &[] },
    Lesson { number: 8, name: "threadlocal", question: "What does nobody else see?", demos: &[] },
    Lesson {
        number: 9,
        name: "distributed",
        question: "How do many machines share the work?",
        demos: DISTRIBUTED,
    },
];

const FORK: &[Demo] = &[
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

const PROCESS: &[Demo] = &[Demo {
    args: &[],
    look: "Who prints which line, and which line waits for another?",
    seen: "`start` came back at once, the child's line carries the child's process id, and `join` let the parent \
           print its last line only after the child had ended.",
}];

const POOL: &[Demo] = &[
    Demo {
        args: &[],
        look: "Five tasks, four workers: which process runs task 4, and when does it start?",
        seen: "Tasks 0 to 3 began at once, each in a worker of its own. Task 4 waited for the first worker that was \
               free, and has its process id.",
    },
    Demo {
        args: &["wc", "03-pool"],
        look: "A real job: lines, words and bytes of all files of this lesson, counted in parallel.",
        seen: "The same lines in the same form as GNU `wc` prints them. On a terminal and with more to do there is a \
               progress bar; try it on your home folder.",
    },
];

const SUBPROCESS: &[Demo] = &[
    Demo {
        args: &[],
        look: "Somebody else's program runs, first left alone, then spoken to. How did each run end?",
        seen: "An exit code is all that a program is sure to give back. Without network or without nslookup the \
               failure is the lesson: it was told apart from an answer, and nothing hung.",
    },
    Demo {
        args: &["call", "sh", "-c", "echo to the terminal; exit 3"],
        look: "A program that ends with 3.",
        seen: "`call` left its output alone and handed on its exit code.",
    },
    Demo {
        args: &["communicate", "sort", "-r"],
        look: "A program that reads all of its input before it writes a line.",
        seen: "`communicate` wrote and read at the same time, so that no full pipe could stop either side.",
    },
];

const DISTRIBUTED: &[Demo] = &[Demo {
    args: &[],
    look: "A server, a master, two workers: four processes. Who waits for whom?",
    seen: "Master and workers never spoke with each other. Each knew an address and a key, and waited in a queue. \
           They could have been on four machines, and one of them could have been in Python.",
}];
