use fork::Signal::SIGKILL;
use ipc::{Event, Queue, Wait};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    let (putter, getter) = Queue::<(u32, u32)>::new(100)?.split()?;
    println!("Two processes put 1000 numbers each, two get them, with room for 100:");
    let putters = [1, 2].map(|who| {
        ipc::fork_with(putter.clone(), move |putter| {
            code((1..=1000).try_for_each(|number| Ok(putter.put(&(who, number))?)))
        })
    });
    drop(putter);
    let (count, counts) = Queue::<(usize, bool)>::new(2)?.split()?;
    let getters = [(); 2].map(|()| {
        ipc::fork_with((getter.clone(), count.clone()), |(getter, count)| {
            let got = getter.iter().collect::<Result<Vec<_>, _>>();
            code(got.map_err(Into::into).and_then(|got| {
                let of = |who| got.iter().filter(move |it| it.0 == who).map(|it| it.1);
                Ok(count.put(&(got.len(), of(1).is_sorted() && of(2).is_sorted()))?)
            }))
        })
    });
    drop((getter, count));
    for counted in counts.iter() {
        let (count, sorted) = counted?;
        println!(
            "    {count:4} were got by one of them, each putter's {}",
            if sorted { "in order" } else { "OUT OF ORDER" }
        );
    }
    for child in putters.into_iter().chain(getters) {
        child?.wait()?;
    }
    println!("Both were told of the end, because nobody was left who could put.\n");
    killed()
}

fn killed() -> Outcome {
    let (putter, getter) = Queue::new(100)?.split()?;
    let put = Event::new()?;
    let child = ipc::fork_with((putter, put.clone()), |(putter, put)| {
        let put_all =
            ["the first", "the second"].iter().try_for_each(|it| putter.put(&(*it).to_owned()));
        put.set();
        nix::unistd::pause();
        code(put_all.map_err(Into::into))
    })?;
    put.wait_within(Wait::forever().while_alive(child.sentinel()?))?;
    child.signal(SIGKILL)?;
    println!("A process put two values, and was then killed:");
    for _ in 0..3 {
        match getter.get() {
            Ok(value) => println!("    {value}"),
            Err(error) => println!("    {error}"),
        }
    }
    child.wait()?;
    Ok(())
}
