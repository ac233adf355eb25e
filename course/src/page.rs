//! What the desk writes on: a terminal, or whatever there is instead.

use std::env;
use std::io::{self, BufRead, IsTerminal, Write};

/// The width that the desk's own text keeps to.
const WIDTH: usize = 80;

/// Standard output, which may be a terminal, a file, or a pipe that nobody reads any more.
///
/// Unlike `println!`, every method hands an error back: a reader that goes away must not make the desk panic.
#[derive(Debug)]
pub(crate) struct Page {
    out: io::Stdout,
    terminal: bool,
    colour: bool,
    asks: bool,
}

impl Page {
    /// Standard output. Colour is for terminals, and never where `NO_COLOR` is set (<https://no-color.org>); what
    /// is said in colour is said in words too.
    pub(crate) fn stdout() -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colour: terminal && !set("NO_COLOR") && !dumb,
            asks: terminal && io::stdin().is_terminal(),
            terminal,
            out,
        }
    }

    /// Text as it is.
    pub(crate) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// A line of its own that stands out.
    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        let line = self.bold(text);
        self.raw(&format!("{line}\n"))
    }

    /// A paragraph, wrapped, each line behind `indent`.
    pub(crate) fn paragraph(&mut self, indent: &str, text: &str) -> io::Result<()> {
        self.raw(&wrap(indent, text))
    }

    /// A paragraph that may begin with its number: its other lines stand below its first word.
    pub(crate) fn item(&mut self, text: &str) -> io::Result<()> {
        match text.split_once(". ") {
            Some((number, text)) if number.parse::<u8>().is_ok() => {
                let number = format!("{number}. ");
                let lines = wrap(&" ".repeat(number.len()), text);
                self.raw(&format!("{number}{}", lines.trim_start()))
            }
            _ => self.paragraph("", text),
        }
    }

    /// A command for the learner to type, and what it does.
    pub(crate) fn command(&mut self, command: &str, does: &str) -> io::Result<()> {
        let padded = format!("{command:<28}");
        let line = self.bold(&padded);
        self.raw(&format!("  {line}  {does}\n"))
    }

    /// Whether it is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether somebody sits there who can answer.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

    /// Waits for Enter. `false` if the learner has had enough: `q`, or the end of the input.
    pub(crate) fn enter(&mut self, prompt: &str) -> io::Result<bool> {
        let prompt = self.bold(prompt);
        self.raw(&prompt)?;
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer)?;
        if read == 0 {
            self.raw("\n")?;
        }
        Ok(read > 0 && !matches!(answer.trim(), "q" | "quit"))
    }

    fn bold(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// `text` in lines of at most [`WIDTH`] columns, each behind `indent`.
fn wrap(indent: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from(indent);
    for word in text.split_whitespace() {
        if line.len() > indent.len() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from(indent);
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}
