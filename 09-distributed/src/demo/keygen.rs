//! A key for a server and its clients.

use std::io::{self, Write};

use distributed::Key;

use crate::demo::Outcome;
use crate::demo::options::Options;

pub(crate) fn run(options: &Options) -> Outcome {
    let file = options.file.as_ref().ok_or("keygen needs the name of a file to write")?;
    Key::generate(file)?;
    let name = file.display();
    writeln!(io::stdout(), "{name}: a new key. Give it to servers and clients: --key-file {name}")?;
    Ok(())
}
