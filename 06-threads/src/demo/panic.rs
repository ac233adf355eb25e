use threads::{Error, Thread};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let mut threads = [
        Thread::new(|| half_of(10)).name("anna"),
        Thread::new(|| half_of(7)).name("bert"),
        Thread::new(|| half_of(12)).name("carl"),
    ];
    threads.iter_mut().try_for_each(Thread::start)?;
    for thread in &mut threads {
        match thread.join() {
            Ok(half) => say!("{} gave {half}.", thread.get_name())?,
            Err(Error::Panicked { name, message, .. }) => {
                say!("{name} panicked, and join says why: {message}")?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    say!("The message is on standard error, too. In Python that is the only place where it is.")?;
    Ok(())
}

fn half_of(number: u32) -> u32 {
    assert!(number.is_multiple_of(2), "{number} has no half");
    number / 2
}
