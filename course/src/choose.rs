//! Which lesson, or which command, a learner means.

use crate::lessons::{LESSONS, Lesson};
use crate::stop::Stop;
use crate::workspace::Workspace;

/// The lessons that `word` names: one, or without a word all that are there.
///
/// # Errors
///
/// [`Stop::Usage`] if no lesson is called that, or if it is not written yet.
pub(crate) fn lessons(
    workspace: &Workspace,
    word: Option<&str>,
) -> Result<Vec<&'static Lesson>, Stop> {
    match word {
        Some(word) => Ok(vec![lesson(workspace, word)?]),
        None => Ok(workspace.lessons().collect()),
    }
}

/// The lesson that `word` names: `pool`, `3`, `03`, `03-pool`, and `./03-pool/` as a shell completes it.
///
/// # Errors
///
/// [`Stop::Usage`] if no lesson is called that, or if it is not written yet.
pub(crate) fn lesson(workspace: &Workspace, word: &str) -> Result<&'static Lesson, Stop> {
    let plain = word.trim_start_matches("./").trim_end_matches('/').to_lowercase();
    let number = plain.parse::<u8>().ok();
    let found = LESSONS.iter().find(|lesson| {
        lesson.name == plain || lesson.folder() == plain || Some(lesson.number) == number
    });
    match found {
        Some(lesson) if workspace.has(lesson) => Ok(lesson),
        Some(lesson) => Err(Stop::Usage(format!(
            "lesson {:02}, {}, is not written yet; there is {}",
            lesson.number,
            lesson.name,
            listed(workspace)
        ))),
        None => Err(Stop::Usage(match nearest(&plain, names(workspace)) {
            Some(name) => format!("there is no lesson `{word}`; did you mean {name}?"),
            None => format!("there is no lesson `{word}`; there is {}", listed(workspace)),
        })),
    }
}

/// What to say of a command that there is not.
pub(crate) fn unknown_command(word: &str, commands: &[&'static str]) -> Stop {
    let lesson = LESSONS.iter().find(|lesson| lesson.name == word || lesson.folder() == word);
    Stop::Usage(match (lesson, nearest(word, commands.iter().copied())) {
        (Some(lesson), _) => format!(
            "`{word}` is a lesson, not a command; did you mean `cargo course play {}`?",
            lesson.name
        ),
        (None, Some(command)) => {
            format!("there is no command `{word}`; did you mean `{command}`?")
        }
        (None, None) => format!("there is no command `{word}`"),
    })
}

fn names(workspace: &Workspace) -> Vec<&'static str> {
    workspace.lessons().map(|lesson| lesson.name).collect()
}

fn listed(workspace: &Workspace) -> String {
    names(workspace).join(", ")
}

/// The name that `word` was probably meant to be: one that it begins, or one at most two slips of the finger away,
/// if that is no more than half of what was typed.
pub(crate) fn nearest<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let begun = names.clone().into_iter().find(|name| !word.is_empty() && name.starts_with(word));
    let slipped = || {
        let slips = names.into_iter().map(|name| (distance(word, name), name));
        let near = slips.filter(|&(slips, _)| slips <= 2.min(word.chars().count() / 2));
        near.min().map(|(_, name)| name)
    };
    begun.or_else(slipped)
}

/// The Levenshtein distance: how many letters to add, drop or exchange, one row of the table at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let exchanged = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_slip_of_the_finger_is_forgiven_and_a_riddle_is_not() {
        let names = ["fork", "process", "pool", "subprocess"];
        for (word, meant) in [
            ("pol", Some("pool")),
            ("folk", Some("fork")),
            ("proccess", Some("process")),
            ("sub", Some("subprocess")),
            ("x", None),
            ("", None),
            ("banana", None),
        ] {
            assert_eq!(nearest(word, names), meant, "{word}");
        }
    }

    #[test]
    fn the_distance_counts_letters_added_dropped_and_exchanged() {
        for (a, b, letters) in [("", "pool", 4), ("pool", "pool", 0), ("sitting", "kitten", 3)] {
            assert_eq!(distance(a, b), letters, "{a} {b}");
        }
    }
}
