//! What the desk shows of lesson subprocess.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
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
