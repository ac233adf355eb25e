use process::Process;

use super::{Outcome, say};

#[expect(clippy::disallowed_methods, reason = "what becomes of it is what is shown")]
fn leave(code: i32) -> String {
    std::process::exit(code)
}

fn return_something() -> String {
    "something".to_owned()
}

pub(crate) fn run() -> Outcome {
    show("returns", Process::new(return_something, ()), |_| Ok(()))?;
    show("calls exit(3)", Process::new(leave, (3,)), |_| Ok(()))?;
    show("is terminated", Process::new(never_returns, ()), Process::terminate)?;
    show("is killed", Process::new(never_returns, ()), Process::kill)?;
    say!("An exit code is a byte; a value has a type. Only who returns gives one.");
    Ok(())
}

#[expect(clippy::infinite_loop, reason = "whoever is to be killed has to live")]
fn never_returns() -> String {
    loop {
        nix::unistd::pause();
    }
}

type End = fn(&Process<String>) -> Result<(), process::Error>;

fn show(what: &str, process: Process<String>, end: End) -> Outcome {
    let mut process = process.name("anna");
    process.start()?;
    end(&process)?;
    let joined = process.join();
    let code = process.exitcode();
    match joined {
        Ok(value) => say!("{what:14} exitcode {code:?}, join: {value:?}"),
        Err(error) => say!("{what:14} exitcode {code:?}, join: {error}"),
    }
    Ok(())
}
