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
    Lesson {
        number: 6,
        name: "threads",
        question: "How do tasks share one process?",
        demos: THREADS,
    },
    Lesson { number: 7, name: "lock", question: "Who may touch what, and when?", demos: LOCK },
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

const PROCESS: &[Demo] = &[
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
        args: &["codes"],
        look: "A code, a signal, an error: what is there to learn of a program's end, or of its not starting?",
        seen: "A program that did not start has no exit code. The system gave one number for three different \
               reasons; the error says which one it was.",
    },
    Demo {
        args: &["shell"],
        look: "A file's name with a `;` in it. In which of the three ways does it become a command?",
        seen: "Only where it was pasted into a line that a shell reads. Words that are handed over as words stay \
               words, also to a shell.",
    },
    Demo {
        args: &["deadlock"],
        look: "A megabyte goes through `cat`. Who waits for whom?",
        seen: "A pipe holds 64 KiB: cat waited for a reader, and the reader was still writing. `communicate` \
               writes and reads at the same time.",
    },
    Demo {
        args: &["timeout"],
        look: "A shell, its child, a grandchild without a parent, a child in another session. A second later, who lives?",
        seen: "Nobody. The process group held those without a parent, the walk down the tree those who had left \
               the group.",
    },
    Demo {
        args: &["pipeline"],
        look: "`yes` writes for ever, `head` reads three lines. How does `yes` end?",
        seen: "By SIGPIPE, at its first write after head's end. A shell tells the last one's status only; here \
               you have all of them.",
    },
    Demo {
        args: &["call", "ls", "-l", "04-subprocess"],
        look: "Any program of your machine, with any arguments.",
        seen: "`call` left its output alone and handed on its exit code. Try one that fails, and then `echo $?`.",
    },
];

const LOCK: &[Demo] = &[
    Demo {
        args: &[],
        look: "Two threads add to a balance and take away again. What is left over?",
        seen: "Without a lock something, each time another amount: an update was computed from a balance that was no \
               longer the balance. With a lock nothing.",
    },
    Demo {
        args: &["race"],
        look: "The same in slow motion. Which write is lost, and at which line was that decided?",
        seen: "Thread 8 wrote what it had read before thread 5 took its number away. Each read and each write was whole; \
               what was between them was not.",
    },
    Demo {
        args: &["steps"],
        look: "Three locks. What does an unlock cost, and what does waiting cost?",
        seen: "Who spins is busy. Who sleeps is not, but then each unlock asks the kernel; the mutex asks only if \
               somebody sleeps.",
    },
    Demo {
        args: &["condvar"],
        look: "Four wait. Who is woken by notify(2)?",
        seen: "Exactly two, and those who had waited longest.",
    },
    Demo {
        args: &["rwlock"],
        look: "Readers are inside, a writer waits. May another reader come in?",
        seen: "Not any more: with readers who come and go a writer would never have a turn.",
    },
    Demo {
        args: &["semaphore"],
        look: "Eight threads and two slots. What becomes of one release too many?",
        seen: "Never more than two were busy, and the release too many was an error, not a third slot.",
    },
    Demo {
        args: &["event"],
        look: "An event is set and cleared at once. Do those who waited run?",
        seen: "All of them: it counts how often it was set, so nobody has to be there in time to see it set.",
    },
    Demo {
        args: &["barrier"],
        look: "Three meet; then one of three never comes.",
        seen: "A timeout broke the barrier for all, instead of leaving the patient one there for ever.",
    },
    Demo {
        args: &["rlock"],
        look: "A method under a lock calls another one that takes it again.",
        seen: "The holder came in twice, a stranger not at all.",
    },
    Demo {
        args: &["poison"],
        look: "A thread panics in the middle of a transfer. What is the next one told?",
        seen: "That the lock is open and what it guards is doubtful, and where the one who failed had taken it.",
    },
    Demo {
        args: &["deadlock"],
        look: "Two threads wait for each other. Then the same mistake, found while nobody waits.",
        seen: "The order of taking two locks is in the program, and wrong in every run; to be stuck takes bad luck.",
    },
];

const THREADS: &[Demo] = &[
    Demo {
        args: &[],
        look: "Two threads, each with a name. Which one has the last word, and why?",
        seen: "The main thread waited for the other one with `join`, as Python's does in the same program.",
    },
    Demo {
        args: &["raw"],
        look: "The same, without the standard library: two calls of the C library.",
        seen: "The same lines. What `std::thread` adds is what can't be seen: types, owners, panics that are told.",
    },
    Demo {
        args: &["names"],
        look: "Who is there, as the process tells it and as the kernel does?",
        seen: "The same numbers. A name is cut to 15 bytes by the kernel; the main thread has its process's number.",
    },
    Demo {
        args: &["panic"],
        look: "One thread of three panics. What do the others do, and who is told?",
        seen: "The others went on. Whoever joined it was told message and place; in Python nobody would have been.",
    },
    Demo {
        args: &["exit"],
        look: "`main` returns while three threads run. Which of them comes to its end?",
        seen: "Only the one that its owner waited for. The two others were cut off, and cleaned nothing up.",
    },
    Demo {
        args: &["scope"],
        look: "Two threads use a vector that belongs to the function that started them.",
        seen: "It was lent to them: the scope ends when they have, so they can't outlive what they borrowed.",
    },
    Demo {
        args: &["channels"],
        look: "Four properties of a channel: full, without room, one of several, without an other end.",
        seen: "Each of them is a way to wait for another thread, or to be told that waiting is in vain.",
    },
    Demo {
        args: &["pool"],
        look: "A million tasks on a few threads. How many does each do, and what do they do afterwards?",
        seen: "Nobody dealt them out: who had nothing to do took half of what another one had left. Idle, all slept.",
    },
    Demo {
        args: &["cores"],
        look: "The same work by one thread, and by one a core. How much faster is that, here and in Python?",
        seen: "About as many times as there are free cores. Python's threads take turns, unless it is a build without \
               the GIL.",
    },
    Demo {
        args: &["versus"],
        look: "The same calls on processes and on threads. What is cheap with one, and what is safe with the other?",
        seen: "A thread costs less in every row but the last one: its crash takes everything with it.",
    },
    Demo {
        args: &["wc", "06-threads"],
        look: "The real job of lesson 3 once more, counted by threads.",
        seen: "The same lines. What the tasks read was not sent to anybody, as all of them share one memory.",
    },
];
