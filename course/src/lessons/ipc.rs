//! What the desk shows of lesson ipc.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        args: &[],
        look: "One process puts three letters into a queue, another one gets them. What ends the second one?",
        seen: "The writer ended by itself. The reader waited for a fourth letter, and was ended from outside: it had \
               both ends of the queue, and whoever could put one himself is not told that nobody does.",
    },
    Demo {
        args: &["queue"],
        look: "Two put, two get. Then one puts two values and is killed: how many arrive?",
        seen: "Both, because a put is done when it returns, and no thread carries it there later. And then the end was \
               told, as each end was in one process only.",
    },
    Demo {
        args: &["pipe"],
        look: "Questions and answers, 16 MiB, no bytes at all, an open file.",
        seen: "A message arrives whole or not at all, however large. The file was opened here and written to there. \
               When one side closed, the other one was told.",
    },
    Demo {
        args: &["memory"],
        look: "What does the parent see of what its child stored? And how much do four children count together?",
        seen: "A variable is copied at the fork, shared memory is not. \"Load, add, store\" lost what came in \
               between; one atomic step, or a lock, lost nothing.",
    },
    Demo {
        args: &["lock"],
        look: "A process is stopped, then killed, while it holds a lock and is half done. Who is told what?",
        seen: "While it was only stopped, nobody: it may go on. After the kill the kernel opened the lock, and the next \
               owner was told to look after what it guards.",
    },
    Demo {
        args: &["socket"],
        look: "A server ends and leaves its socket's name behind. Can the next one take it?",
        seen: "Not just so: the name is in use. Ask first whether somebody listens, and remove it only if nobody does.",
    },
    Demo {
        args: &["signal"],
        look: "Three messages and three signals are sent. How many of each arrive?",
        seen: "Three messages, one signal: a signal that waits is one bit.",
    },
    Demo {
        args: &["ipc-channel"],
        look: "Another crate for the same: what can it do that this lesson's pipes can't, and the other way round?",
        seen: "It sends a sender in a message, and large memory without a copy. But nobody was told of a death while a \
               copy of the dead one's end was about, and a full channel stops its sender for good.",
    },
    Demo {
        args: &["compare"],
        look: "The same message in eight ways. Guess the order first, for 8 bytes and for 1 MiB.",
        seen: "Whatever wakes the other process for each message is slow, whatever goes on while both run is fast, and \
               bytes are cheaper than values. (This is a debug build; `cargo run --release` is how to compare.)",
    },
];
