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
        demos: &[],
    },
];

const FORK: &[Demo] = &[
    Demo {
        args: &[],
        look: "Three lines, two process ids. Which process prints which line?",
        seen: "One call, two returns: in the parent `fork` gave the child's id, in the child nothing. From there on \
               both ran the same program, each with memory of its own.",
    },
    Demo {
        args: &["zombie"],
        look: "The child's state after it has ended and before anyone has waited for it.",
        seen: "It was a zombie (Z): nothing of it was left but its exit status, which the kernel keeps until the \
               parent asks. The wait took it, and the process was gone.",
    },
    Demo {
        args: &["orphan"],
        look: "A child whose parent ends first. Who is its parent then?",
        seen: "Nobody stays without a parent: the kernel gave the child to a process that waits for whatever it is \
               given, init or a nearer subreaper.",
    },
    Demo {
        args: &["buffer"],
        look: "One line is buffered before the fork. How often is it printed?",
        seen: "Once here, and twice where it was provoked: the fork copied the buffer with the rest of the memory, \
               and each process that flushed its copy printed it.",
    },
    Demo {
        args: &["cow"],
        look: "How much memory is the child's own, before and after it writes?",
        seen: "The fork copied no memory. The two shared each page until one of them wrote to it, and only then did \
               the kernel make a copy of that page.",
    },
    Demo {
        args: &["threads"],
        look: "A process with several threads forks. How many threads has the child?",
        seen: "One: only the thread that forked lives on. What the others held, a lock for example, stays held, and \
               nobody is left to release it.",
    },
    Demo {
        args: &["tree"],
        look: "Children that fork children: who is whose parent?",
        seen: "A tree, as it lived. `pstree -p` shows the one that you are in.",
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
