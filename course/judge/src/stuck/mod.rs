//! Where each process and thread waits, in plain words.
//!
//! Reading order: `call` (what the kernel says of one thread), `scene` (all of them, and who has
//! which descriptor open), `wait` (the sentence for each system call, with `many`, `descriptor`, `socket`,
//! `futex` and `lock` for what it waits on), `deadlock` (who can't go on because of whom).

mod call;
mod clock;
mod deadlock;
mod descriptor;
mod futex;
mod lock;
mod many;
mod scene;
mod socket;
mod wait;

use scene::Scene;
use wait::Wait;

/// A program with more threads has more to say than anybody reads.
const MOST: usize = 200;

/// A line for each thread below `root`, causes before consequences, after the lines that say who
/// waits in a circle.
pub(crate) fn explain(root: i32) -> Vec<String> {
    let scene = Scene::look(root);
    let waits: Vec<Wait> = scene.tasks.iter().map(|task| wait::of(&scene, task)).collect();
    let mut lines = deadlock::lines(&scene, &waits);
    for index in deadlock::causes_first(&scene, &waits) {
        lines.push(format!("{} {}", scene.who(&scene.tasks[index]), waits[index].what));
    }
    if scene.more > 0 {
        lines.push(format!("and {} more threads, which were not looked at", scene.more));
    }
    lines
}
