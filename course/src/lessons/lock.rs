//! What the desk shows of lesson lock.

use super::Demo;

pub(crate) const DEMOS: &[Demo] = &[
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
