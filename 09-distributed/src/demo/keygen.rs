//! A key for a server and its clients, and TLS for them.

use std::fs;
use std::io::{self, Write};

use distributed::{Key, KeyError, Tls};

use crate::demo::Outcome;
use crate::demo::options::Options;

pub(crate) fn run(options: &Options) -> Outcome {
    let file = options.file.as_ref().ok_or("keygen needs the name of a file to write")?;
    let (server, client) = (file.with_extension("server.pem"), file.with_extension("client.pem"));
    Key::generate(file)?;
    let tls = match Tls::generate(&server, &client) {
        Ok(()) => true,
        Err(KeyError::NoTls) => false,
        Err(error) => {
            // All three or none: what is left of an attempt would be in the way of the next one.
            fs::remove_file(file)?;
            return Err(error.into());
        }
    };
    let (mut out, name) = (io::stdout(), file.display());
    writeln!(out, "{name}: a new key. Give it to servers and clients: --key-file {name}")?;
    if !tls {
        writeln!(out, "No files for TLS: for these, build the program with `--features tls`.")?;
        return Ok(());
    }
    for (side, file) in [("server", server), ("clients", client)] {
        let name = file.display();
        writeln!(out, "{name}: for the {side} alone, to speak TLS: --tls {name}")?;
    }
    Ok(())
}
