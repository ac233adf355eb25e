//! What the desk shows of lesson threads.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
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
