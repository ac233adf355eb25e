//! Promises of `PrivateFd` and `Lifeline`: what a child inherits, and when it ends.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use fork::{
    Child, PrivateFd, Signal, Tether, fork, fork_handing, fork_sharing, lifeline, watch_parent,
};
use judge::{Judge, check, scenario};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How many descriptors this process has open, the one that looks excepted.
fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count() - 1
}

fn pipe() -> [PrivateFd; 2] {
    PrivateFd::pipe().expect("two descriptors")
}

fn succeeds(child: Result<Child, fork::ForkError>) -> bool {
    child.expect("a child").wait().expect("its status").success()
}

fn read(fd: impl Into<OwnedFd>) -> String {
    let mut text = String::new();
    File::from(fd.into()).read_to_string(&mut text).expect("a pipe can be read");
    text
}

scenario!(
    fn forks_a_row_of_siblings() {
        let before = open_descriptors();
        let siblings: Vec<_> = (0..20)
            .map(|_| {
                let [told, tell] = pipe();
                let child = fork_handing(vec![told], |fds| {
                    let alone = open_descriptors() == before + 1;
                    fds.into_iter().for_each(|fd| drop(read(fd)));
                    i32::from(!alone)
                });
                let child = child.expect("a child");
                child.sentinel().expect("one descriptor more");
                (child, tell)
            })
            .collect();
        check("parent", open_descriptors() == before + 40, "the parent has two for each child");
        let alone = siblings.into_iter().rev().all(|(child, tell)| {
            drop(tell);
            succeeds(Ok(child))
        });
        check("children", alone, "each child has what it was handed, and nothing of its siblings");
        check("after", open_descriptors() == before, "none is left in the parent");
    }
);

#[test]
fn a_childs_number_of_descriptors_does_not_grow_with_its_siblings() {
    let judge = Judge::scenario(&forks_a_row_of_siblings);
    judge.declare(["parent", "children", "after"]).run().assert_clean();
}

scenario!(
    fn opens_while_it_forks() {
        let stop = &AtomicBool::new(false);
        let before = open_descriptors();
        let alone = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        let [read, write] = pipe();
                        drop((read, write));
                    }
                });
            }
            let alone =
                (0..300).all(|_| succeeds(fork(|| i32::from(open_descriptors() > before + 3))));
            stop.store(true, Relaxed);
            alone
        });
        check("alone", alone, "no child has one that was being opened or closed");
    }
);

#[test]
fn no_fork_copies_a_descriptor_that_another_thread_is_opening() {
    Judge::scenario(&opens_while_it_forks).declare(["alone"]).run().assert_clean();
}

scenario!(
    fn hands_over() {
        let ([read_a, write_a], [read_b, write_b]) = (pipe(), pipe());
        let child = fork_handing(vec![write_a, write_b], |fds| {
            let sent = fds.into_iter().zip(["first", "second"]);
            let sent = sent.map(|(fd, text)| File::from(fd).write_all(text.as_bytes()));
            i32::from(sent.collect::<io::Result<()>>().is_err())
        });
        check("child", succeeds(child), "the child could write to both");
        // That these end says that the parent has no writing end any more.
        let [a, b] = [read_a, read_b].map(|fd| read(fd.into_inherited().expect("ours")));
        check("order", (a.as_str(), b.as_str()) == ("first", "second"), "they came in their order");
    }
);

#[test]
fn what_is_handed_to_a_child_is_open_there_and_nowhere_else() {
    Judge::scenario(&hands_over).declare(["child", "order"]).run().assert_clean();
}

scenario!(
    fn shares() {
        let ([read_end, write_end], [_other, private]) = (pipe(), pipe());
        let number = write_end.fd().expect("ours").as_raw_fd();
        let before = open_descriptors();
        let child = fork_sharing(&write_end, vec![private], |shared, handed| {
            let mine = shared.fd().expect("it is the child's own");
            let right = mine.as_raw_fd() == number && handed.len() == 1;
            let mut file = File::from(mine.try_clone_to_owned().expect("a descriptor"));
            file.write_all(b"child, ").expect("it is open");
            drop((file, handed));
            // Private in the child, too: with nothing of all this its own child begins.
            let own = fork(|| i32::from(open_descriptors() != before - 4));
            i32::from(!(right && succeeds(own)))
        });
        check("child", succeeds(child), "the child has it under the same number, and privately");
        let mut file = File::from(write_end.into_inherited().expect("it stayed here"));
        file.write_all(b"parent").expect("it is open");
        drop(file);
        let text = read(read_end.into_inherited().expect("ours"));
        check("both", text == "child, parent", "both wrote to it, and nobody else has it");
    }
);

#[test]
fn what_is_shared_with_a_child_is_open_in_both_and_private_in_both() {
    Judge::scenario(&shares).declare(["child", "both"]).run().assert_clean();
}

scenario!(
    fn a_sibling_lives_on() {
        let ([told, tell], [read_end, write_end]) = (pipe(), pipe());
        let writes = fork_handing(vec![write_end], |fds| {
            i32::from(fds.into_iter().any(|fd| File::from(fd).write_all(b"all").is_err()))
        });
        let [_, later] = pipe();
        let sibling = fork_handing(vec![told], |fds| {
            fds.into_iter().for_each(|fd| drop(read(fd)));
            0
        });
        let text = read(read_end.into_inherited().expect("ours"));
        check("end", text == "all", "the reader comes to the end though a sibling lives");
        drop((tell, later));
        check("siblings", succeeds(writes) && succeeds(sibling), "both ended well");
    }
);

#[test]
fn a_reader_comes_to_the_end_though_siblings_live_on() {
    Judge::scenario(&a_sibling_lives_on).declare(["end", "siblings"]).run().assert_clean();
}

scenario!(
    fn captures_its_parents_descriptor() {
        let [private, _other] = pipe();
        let number = private.fd().expect("ours").as_raw_fd();
        let child = fork(move || {
            let refused =
                private.fd().is_err_and(|error| error.raw_os_error() == Some(libc::EBADF));
            // The lowest free number, which is the one that was closed at the fork.
            let reused = File::open("/dev/zero").expect("it exists");
            assert_eq!(reused.as_raw_fd(), number);
            drop(private);
            let still_open = (&reused).read(&mut [0]).is_ok();
            i32::from(!(refused && still_open))
        });
        check("child", succeeds(child), "refused, and its end closes nobody's file");

        let [private, other] = pipe();
        let child = fork(|| {
            let before = open_descriptors();
            let error = fork_handing(vec![private], |_| 0).expect_err("it is not ours");
            println!("{error}");
            let none = nix::sys::wait::waitpid(None, None) == Err(nix::Error::ECHILD);
            let inherited = other
                .into_inherited()
                .is_err_and(|error| error.raw_os_error() == Some(libc::EBADF));
            i32::from(!(none && inherited && before == open_descriptors()))
        });
        check("handed", succeeds(child), "neither handed on nor inherited, and nothing was forked");
    }
);

#[test]
fn a_childs_copy_of_a_private_descriptor_owns_nothing() {
    let judge = Judge::scenario(&captures_its_parents_descriptor);
    let report = judge.declare(["child", "handed"]).run();
    report.assert_clean();
    let error = report.stdout();
    assert!(
        error.starts_with("can't hand a descriptor to a child, so nothing was forked: "),
        "{error}"
    );
    assert!(error.contains("number 1 of 1 was opened by another process"), "{error}");
}

scenario!(
    fn makes_it_ordinary() {
        let [read_end, write_end] = pipe();
        let write_end = write_end.into_inherited().expect("ours");
        let child = fork(|| i32::from((&File::from(write_end)).write_all(b"kept").is_err()));
        check("child", succeeds(child), "the child has it, too");
        check("text", read(read_end.into_inherited().expect("ours")) == "kept", "and wrote to it");
    }
);

#[test]
fn an_ordinary_descriptor_is_inherited_by_children() {
    Judge::scenario(&makes_it_ordinary).declare(["child", "text"]).run().assert_clean();
}

/// In a child that was handed its tether: lives until it is cut.
fn live(fds: Vec<OwnedFd>) -> i32 {
    for fd in fds {
        if let Err(error) = Tether::from(fd).die_when_cut() {
            eprintln!("{error}");
            return 1;
        }
    }
    nix::unistd::pause();
    0
}

scenario!(
    fn cuts() {
        let (held, tether) = lifeline().expect("two descriptors");
        let child = fork_handing(vec![tether], live).expect("a child");
        check("lives", child.try_wait().expect("no error").is_none(), "it lives while it is held");
        // A fork of the parent has no part in it.
        let (other, end) = (fork(|| 0).expect("a child"), held);
        drop(end);
        check(
            "cut",
            child.wait().expect("its status").signal() == Some(9),
            "killed when it is dropped",
        );
        other.wait().expect("its status");

        let (held, tether) = lifeline().expect("two descriptors");
        drop(held);
        let child = fork_handing(vec![tether], live).expect("a child");
        check(
            "late",
            child.wait().expect("its status").signal() == Some(9),
            "though cut before it asked",
        );
    }
);

#[test]
fn a_child_ends_when_its_lifeline_is_cut() {
    Judge::scenario(&cuts).declare(["lives", "cut", "late"]).run().assert_clean();
}

scenario!(
    fn kills_the_holder() {
        // The grandchild holds `alive`, writes a byte when its tether is set, and closes it by its end.
        let [end, alive] = pipe();
        let holder = fork_handing(vec![alive], |fds| {
            let (_held, tether) = lifeline().expect("two descriptors");
            let alive = <[OwnedFd; 1]>::try_from(fds).expect("one was handed over");
            let [alive] = PrivateFd::open(|| Ok(alive)).expect("it is open");
            let tethered = fork_handing(vec![tether, alive], |mut fds| {
                let mut alive = File::from(fds.pop().expect("two were handed over"));
                for tether in fds {
                    Tether::from(tether).die_when_cut().expect("a pipe");
                }
                alive.write_all(b"tethered").expect("somebody reads it");
                live(Vec::new())
            });
            let _tethered = tethered.expect("a child");
            live(Vec::new())
        });
        let holder = holder.expect("a child");
        let mut end = File::from(end.into_inherited().expect("ours"));
        end.read_exact(&mut [0; 8]).expect("the grandchild writes it");
        holder.signal(Signal::SIGKILL).expect("it is ours");
        check(
            "holder",
            holder.wait().expect("its status").signal() == Some(9),
            "nobody could tell it",
        );
        check(
            "end",
            end.read(&mut [0]).is_ok_and(|bytes| bytes == 0),
            "the grandchild ended with it",
        );
    }
);

#[test]
fn a_child_ends_when_its_parent_is_killed() {
    Judge::scenario(&kills_the_holder).declare(["holder", "end"]).run().assert_clean();
}

scenario!(
    fn is_tethered_and_forks() {
        let (_held, tether) = lifeline().expect("two descriptors");
        let child = fork_handing(vec![tether], |fds| {
            let before = open_descriptors() - fds.len();
            for tether in fds {
                Tether::from(tether).die_when_cut().expect("a pipe");
            }
            i32::from(!succeeds(fork(|| i32::from(open_descriptors() != before))))
        });
        check("own", succeeds(child), "the child's own child has none of it");
    }
);

#[test]
fn a_tether_is_not_inherited_by_the_tethered_childs_own_children() {
    Judge::scenario(&is_tethered_and_forks).declare(["own"]).run().assert_clean();
}

fn is_readable(fd: &PrivateFd, wait: PollTimeout) -> bool {
    let mut end = [PollFd::new(fd.fd().expect("ours"), PollFlags::POLLIN)];
    poll(&mut end, wait) == Ok(1)
}

scenario!(
    fn watches_its_parent() {
        // The grandchild tells through `tell` what it sees, and sees its parent end at `end`.
        let ([told, tell], [ending, end]) = (pipe(), pipe());
        let child = fork_handing(vec![tell, ending], |fds| {
            let parent = std::process::id().cast_signed();
            let fds = <[OwnedFd; 2]>::try_from(fds).expect("two were handed over");
            let [tell, ending] = PrivateFd::open(|| Ok(fds)).expect("they are open");
            let grandchild = fork_handing(vec![tell], |fds| {
                let watched = watch_parent(parent).expect("a descriptor");
                let lives = !is_readable(&watched, PollTimeout::ZERO);
                let mut tell = File::from(fds.into_iter().next().expect("it was handed over"));
                tell.write_all(if lives { b"lives," } else { b"ended," }).expect("it is read");
                let seen = is_readable(&watched, PollTimeout::NONE);
                let again = watch_parent(parent).expect("a descriptor");
                let late = is_readable(&again, PollTimeout::ZERO);
                tell.write_all(if seen && late { b"ended" } else { b"lives" }).expect("read");
                0
            });
            let _orphan = grandchild.expect("a child");
            read(ending.into_inherited().expect("ours"));
            0
        });
        let mut told = File::from(told.into_inherited().expect("ours"));
        let mut first = [0; 6];
        told.read_exact(&mut first).expect("the grandchild writes");
        check("lives", &first == b"lives,", "not readable while the parent lives");
        drop(end);
        check("child", succeeds(child), "the parent ended");
        check("ended", read(told) == "ended", "readable at its end, and for ever after");
    }
);

#[test]
fn a_watched_parents_end_is_seen_by_its_child() {
    let judge = Judge::scenario(&watches_its_parent);
    judge.declare(["lives", "child", "ended"]).run().assert_clean();
}

#[test]
fn only_the_reading_end_of_a_pipe_is_a_tether() {
    let (_read, write) = io::pipe().expect("two descriptors");
    for fd in [OwnedFd::from(write), File::open("/dev/null").expect("it exists").into()] {
        let error = Tether::from(fd).die_when_cut().expect_err("no signal would ever come");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
