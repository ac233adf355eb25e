use process::{Error, Process};

use super::{Outcome, say};

fn element(index: usize) -> u32 {
    [2, 3, 5, 7][index]
}

pub(crate) fn run() -> Outcome {
    for index in [3, 4] {
        let mut process = Process::new(element, (index,));
        process.start()?;
        match process.join() {
            Ok(value) => say!("element({index}) returned {value}."),
            Err(Error::Panicked { message, place, .. }) => {
                say!("element({index}) panicked, at {place}:\n    {message}");
                say!("The child ended with {:?}; I go on.", process.exitcode());
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}
