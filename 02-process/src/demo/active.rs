use process::{PrivateFd, Process, active_children, current_process, parent_process};

use super::{Outcome, say, wait};

pub(crate) fn run() -> Outcome {
    introduce();
    let mut child = Process::new(introduce, ()).name("dora");
    child.start()?;
    child.join()?;

    let mut children = Vec::new();
    for name in ["anna", "bert", "carl"] {
        let [pipe, end] = PrivateFd::pipe()?;
        let mut child = Process::new(wait, ()).name(name).hand_over(vec![pipe]);
        child.start()?;
        children.push((child, end));
    }
    say!("I started anna, bert and carl, who live until I tell them to end:");
    show();

    let (mut bert, end) = children.remove(1);
    drop(end);
    bert.join()?;
    say!("bert was told to end, and joined.");
    show();

    let (carl, end) = children.remove(1);
    drop(carl);
    say!("carl's handle was dropped. He lives, and can still be found:");
    show();
    drop(end);
    children.clear();
    Ok(())
}

/// As seen from inside, in whichever process it runs.
fn introduce() {
    let me = current_process();
    match parent_process() {
        None => {
            say!("I am {} ({}): nobody's child, as far as this library knows.", me.name(), me.pid())
        }
        Some(parent) => say!(
            "I am {} ({}), and my parent is {} ({}).",
            me.name(),
            me.pid(),
            parent.name(),
            parent.pid()
        ),
    }
}

fn show() {
    let names: Vec<String> = active_children()
        .iter()
        .map(|child| format!("{} ({})", child.name(), child.pid()))
        .collect();
    say!("    alive: {}", names.join(", "));
}
