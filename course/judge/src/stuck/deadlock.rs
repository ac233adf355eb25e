//! Who can't go on because of whom.

use std::collections::BTreeSet;

use super::scene::Scene;
use super::wait::{Wait, Waker, Wakers};

/// The threads, as indices of the scene's, such that those that others wait for come first.
pub(super) fn causes_first(scene: &Scene, waits: &[Wait]) -> Vec<usize> {
    fn visit(
        scene: &Scene,
        waits: &[Wait],
        task: usize,
        seen: &mut [bool],
        order: &mut Vec<usize>,
    ) {
        if std::mem::replace(&mut seen[task], true) {
            return;
        }
        for next in wakers(scene, &waits[task]) {
            visit(scene, waits, next, seen, order);
        }
        order.push(task);
    }
    let (mut seen, mut order) = (vec![false; waits.len()], Vec::new());
    for task in 0..waits.len() {
        visit(scene, waits, task, &mut seen, &mut order);
    }
    order
}

/// The threads that could end that wait.
fn wakers(scene: &Scene, wait: &Wait) -> Vec<usize> {
    let Wakers::Only(wakers) = &wait.wakers else { return Vec::new() };
    let is = |index: usize, waker: &Waker| {
        let task = &scene.tasks[index];
        task.pid == waker.pid && waker.thread.is_none_or(|thread| thread == task.tid)
    };
    wakers
        .iter()
        .flat_map(|waker| (0..scene.tasks.len()).filter(move |index| is(*index, waker)))
        .collect()
}

/// The threads of which none can go on unless another of them does.
///
/// A thread can go on if something outside ends its wait: time, a person, the network, what is not
/// known. Or if one of those that it waits for can go on. What remains when no more can be found
/// waits for itself.
fn stuck(scene: &Scene, waits: &[Wait]) -> BTreeSet<usize> {
    let mut stuck: BTreeSet<usize> = (0..waits.len()).collect();
    loop {
        let can_go_on = |task: &usize| match &waits[*task].wakers {
            Wakers::Outside => true,
            Wakers::Only(_) => {
                wakers(scene, &waits[*task]).iter().any(|waker| !stuck.contains(waker))
            }
        };
        let moving: Vec<usize> = stuck.iter().copied().filter(can_go_on).collect();
        if moving.is_empty() {
            return stuck;
        }
        stuck.retain(|task| !moving.contains(task));
    }
}

/// A line for each circle.
pub(super) fn lines(scene: &Scene, waits: &[Wait]) -> Vec<String> {
    let stuck = stuck(scene, waits);
    let (mut lines, mut told) = (Vec::new(), BTreeSet::new());
    for &first in &stuck {
        // Follow who waits for whom, until somebody comes again, or nobody is waited for.
        let mut path = vec![first];
        let circle = loop {
            let last = path[path.len() - 1];
            let Some(next) = wakers(scene, &waits[last]).into_iter().find(|it| stuck.contains(it))
            else {
                break vec![last];
            };
            if let Some(begin) = path.iter().position(|it| *it == next) {
                break path[begin..].to_vec();
            }
            path.push(next);
        };
        if path.iter().any(|task| told.contains(task)) {
            continue;
        }
        let pids: BTreeSet<i32> = circle.iter().map(|index| scene.tasks[*index].pid).collect();
        told.extend(path);
        match pids.first() {
            Some(&pid) if pids.len() == 1 => {
                // One of its threads could be woken by any other: the circle is all of them.
                told.extend((0..waits.len()).filter(|index| scene.tasks[*index].pid == pid));
                lines.push(within(scene, waits, pid, &stuck, circle[0]));
            }
            _ => lines.push(among(scene, &circle)),
        }
    }
    lines
}

fn within(scene: &Scene, waits: &[Wait], pid: i32, stuck: &BTreeSet<usize>, one: usize) -> String {
    let process = scene.process(pid);
    let threads = scene.threads(pid).count();
    let circle: Vec<usize> =
        stuck.iter().copied().filter(|index| scene.tasks[*index].pid == pid).collect();
    if threads == 1 {
        return format!("{process} waits for itself: nobody else can end that");
    }
    let itself = wakers(scene, &waits[one]).iter().all(|waker| *waker == one);
    if itself && circle.len() < threads {
        let thread = scene.tasks[one].tid;
        return format!("{process}: thread {thread} waits for itself: nobody else can end that");
    }
    if circle.len() == threads {
        return format!(
            "{process}: all its {threads} threads wait, and only they could wake one another: \
             none can go on"
        );
    }
    let numbers: Vec<String> =
        circle.iter().map(|index| scene.tasks[*index].tid.to_string()).collect();
    format!("{process}: its threads {} wait for one another: none can go on", list(&numbers))
}

fn among(scene: &Scene, circle: &[usize]) -> String {
    let pid = |index: usize| scene.tasks[circle[index % circle.len()]].pid;
    // Threads of one process in a row are one step.
    let steps: Vec<(i32, i32)> =
        (0..circle.len()).map(|it| (pid(it), pid(it + 1))).filter(|(a, b)| a != b).collect();
    let mut words: Vec<String> =
        steps.iter().map(|(waiting, for_whom)| format!("{waiting} for {for_whom}")).collect();
    if let Some((waiting, for_whom)) = steps.first() {
        words[0] = format!("{} waits for {}", scene.process(*waiting), scene.process(*for_whom));
    }
    let end = if steps.len() == 2 { "neither can go on" } else { "none can go on" };
    format!("{}: {end}", list(&words))
}

/// "a", "a and b", "a, b and c".
pub(super) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
