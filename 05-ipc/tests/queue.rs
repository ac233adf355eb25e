//! Promises of `Queue`, `Putter` and `Getter`.

use std::time::{Duration, Instant};

use fork::Signal::{SIGKILL, SIGSTOP};
use ipc::{Event, Getter, Putter, Queue, RecvError, SendError, TaskError, Wait, fork_with};
use judge::{Judge, check, scenario};
use serde::{Serialize, Serializer};

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(10);

fn ends_well(child: &fork::Child) -> bool {
    child.wait().expect("its status").success()
}

#[test]
fn full_and_empty_are_told_apart_from_closed() {
    let queue = Queue::new(2).expect("a queue");
    assert!(matches!(queue.try_get(), Err(RecvError::Empty)));
    queue.put(&1).expect("room");
    queue.try_put(&2).expect("room");
    assert!(matches!(queue.try_put(&3), Err(SendError::Full)));
    queue.close();
    assert!(matches!(queue.try_put(&3), Err(SendError::Closed)));
    assert!(matches!(queue.put(&3), Err(SendError::Closed)));
    assert_eq!((queue.get().ok(), queue.get().ok()), (Some(1), Some(2)), "what is in it is got");
    assert!(matches!(queue.get(), Err(RecvError::Closed)));
    assert!(matches!(queue.try_get(), Err(RecvError::Closed)));
}

#[test]
fn a_wait_with_a_limit_ends_on_time_and_a_later_one_gets_the_value() {
    let queue = Queue::new(1).expect("a queue");
    let start = Instant::now();
    assert!(matches!(queue.get_within(SOON), Err(RecvError::Empty)));
    queue.put(&7).expect("room");
    assert!(matches!(queue.put_within(&8, SOON), Err(SendError::Full)));
    let took = start.elapsed();
    assert!((2 * SOON..LONG).contains(&took), "{took:?}");
    assert_eq!(queue.get_within(LONG).ok(), Some(7));
    assert!(matches!(queue.try_get(), Err(RecvError::Empty)), "8 was not put");
}

#[test]
fn a_wait_is_ended_by_a_put_and_by_a_get() {
    let queue = Queue::new(1).expect("a queue");
    std::thread::scope(|scope| {
        let got = scope.spawn(|| (queue.get().ok(), queue.get().ok()));
        while !queue.ring().is_empty() {
            std::thread::yield_now();
        }
        queue.put(&1).expect("room");
        queue.put(&2).expect("room, as soon as the first is got");
        assert_eq!(got.join().expect("no panic"), (Some(1), Some(2)));
    });
}

scenario!(
    fn many_put_and_many_get() {
        let (putter, getter) =
            Queue::<(u32, u32)>::new(50).expect("a queue").split().expect("ends");
        let putters = [0, 1, 2].map(|who| {
            fork_with(putter.clone(), move |putter: Putter<_>| {
                (0..3000).for_each(|number| putter.put(&(who, number)).expect("somebody gets"));
                0
            })
            .expect("a child")
        });
        drop(putter);
        let (count, counts) = Queue::<Vec<u32>>::new(2).expect("a queue").split().expect("ends");
        let getters = [(); 2].map(|()| {
            fork_with((getter.clone(), count.clone()), |(getter, count): (Getter<_>, Putter<_>)| {
                let mut seen = [Vec::new(), Vec::new(), Vec::new()];
                for value in getter.iter() {
                    let (who, number): (u32, u32) = value.expect("a value");
                    seen[who as usize].push(number);
                }
                let in_order = seen.iter().all(|numbers| numbers.is_sorted());
                let all: u32 = seen.iter().flatten().sum();
                let all =
                    [u32::from(in_order), seen.iter().map(Vec::len).sum::<usize>() as u32, all];
                i32::from(count.put(&all.to_vec()).is_err())
            })
            .expect("a child")
        });
        drop((getter, count));
        let counts: Vec<_> = counts.iter().map(|it| it.expect("a count")).collect();
        check("order", counts.iter().all(|it| it[0] == 1), "those of each putter come in order");
        check("once", counts.iter().map(|it| it[1]).sum::<u32>() == 9000, "each is got once");
        let sum = counts.iter().map(|it| it[2]).sum::<u32>();
        check("all", sum == 3 * (0..3000).sum::<u32>(), "and all of them");
        let ended = putters.iter().chain(&getters).all(ends_well);
        check("end", ended && counts.len() == 2, "the end is told to all");
    }
);

#[test]
fn several_put_and_several_get_each_value_once_and_each_putters_in_order() {
    let judge = Judge::scenario(&many_put_and_many_get);
    judge.declare(["order", "once", "all", "end"]).run().assert_clean();
}

scenario!(
    fn used_on_both_sides_of_a_plain_fork() {
        let (there, back) = (Queue::new(4).expect("a queue"), Queue::new(4).expect("a queue"));
        let child = fork::fork(|| {
            (0..100).for_each(|_| {
                let number: u32 = there.get().expect("a number");
                back.put(&(number * 2)).expect("room");
            });
            0
        });
        let right = (0..100).all(|number| {
            there.put(&number).expect("room");
            back.get().expect("a number") == number * 2
        });
        check("both", right, "both sides put and get");
        check("child", ends_well(&child.expect("a child")), "the child too");
    }
);

#[test]
fn a_queue_is_usable_on_both_sides_of_a_fork() {
    Judge::scenario(&used_on_both_sides_of_a_plain_fork)
        .declare(["both", "child"])
        .run()
        .assert_clean();
}

/// Can't be turned into bytes if it is odd.
struct Even(u32);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 2 {
            0 => serializer.serialize_u32(self.0),
            _ => Err(serde::ser::Error::custom("odd")),
        }
    }
}

#[test]
fn a_value_that_fails_to_serialise_neither_kills_the_queue_nor_takes_a_slot() {
    let queue = Queue::new(2).expect("a queue");
    for _ in 0..100 {
        assert!(matches!(queue.put(&Even(1)), Err(SendError::Encode(_))));
    }
    assert_eq!(queue.ring().len(), 0);
    queue.put(&Even(2)).and_then(|()| queue.try_put(&Even(4))).expect("both slots are free");
    assert_eq!(queue.ring().len(), 2);
}

#[test]
fn a_value_too_large_is_an_error_and_the_largest_fits() {
    let queue = Queue::<()>::with_room(10, 4096).expect("a queue");
    let most = queue.ring().largest();
    match queue.put_bytes(&vec![1; most + 1]) {
        Err(SendError::TooLarge { size, most: told }) => {
            assert_eq!((size, told), (most + 1, most));
        }
        other => panic!("{other:?}"),
    }
    let mut got = Vec::new();
    // At each place in the ring: the message goes round its end.
    for size in (0..most).step_by(61).chain([most]) {
        let message: Vec<u8> = (0..size).map(|it| it as u8).collect();
        queue.put_bytes(&message).expect("room");
        queue.get_bytes(&mut got).expect("a message");
        assert_eq!(got, message, "{size} bytes");
    }
}

#[test]
fn a_message_of_another_type_is_an_error_that_has_it_and_the_next_one_comes() {
    let queue = Queue::<String>::new(4).expect("a queue");
    queue.put_bytes(&[200, 1, 2]).and_then(|()| queue.put(&"good".to_owned())).expect("room");
    match queue.get() {
        Err(RecvError::Decode { bytes, .. }) => assert_eq!(bytes, [200, 1, 2]),
        other => panic!("{other:?}"),
    }
    assert_eq!(queue.get().ok().as_deref(), Some("good"));
    let numbers = Queue::<u8>::new(4).expect("a queue");
    numbers.put_bytes(&[1, 2]).expect("room");
    assert!(matches!(numbers.get(), Err(RecvError::Decode { .. })), "a byte is left over");
}

#[test]
fn join_returns_exactly_when_the_last_one_is_done_and_one_done_too_many_is_an_error() {
    let queue = Queue::new(10).expect("a queue");
    queue.join().expect("nothing was put");
    assert_eq!(queue.task_done(), Err(TaskError::TooOften));
    (0..3).for_each(|number| queue.put(&number).expect("room"));
    assert_eq!(queue.task_done(), Err(TaskError::TooOften), "none was got");
    for left in (0..3).rev() {
        queue.get().expect("a number");
        let unfinished = left + 1;
        assert_eq!(queue.join_within(SOON / 10), Err(TaskError::TimedOut { unfinished }));
        queue.task_done().expect("one was got");
    }
    queue.join().expect("all are done");
    assert_eq!(queue.task_done(), Err(TaskError::TooOften));
    std::thread::scope(|scope| {
        queue.put(&7).expect("room");
        let joined = scope.spawn(|| queue.join());
        queue.get().expect("a number");
        queue.task_done().expect("one was got");
        joined.join().expect("no panic").expect("it is done");
    });
}

scenario!(
    fn getter_waits_for_the_dead() {
        let (putter, getter) = Queue::new(4).expect("a queue").split().expect("ends");
        let put = Event::new().expect("an event");
        let child = fork_with((putter, put.clone()), |(putter, put): (Putter<u32>, Event)| {
            putter.put(&7).expect("room");
            put.set();
            nix::unistd::pause();
            0
        })
        .expect("a child");
        put.wait();
        check("value", getter.get().ok() == Some(7), "what was put is got");
        std::thread::scope(|scope| {
            let told = scope.spawn(|| getter.get());
            std::thread::yield_now();
            child.signal(SIGKILL).expect("it is ours");
            let told = told.join().expect("no panic");
            check("asleep", matches!(told, Err(RecvError::Closed)), "who sleeps is told");
        });
        check("later", matches!(getter.try_get(), Err(RecvError::Closed)), "and who comes later");
        child.wait().expect("its status");
    }
);

#[test]
fn who_gets_is_told_when_the_last_one_who_could_put_was_killed() {
    Judge::scenario(&getter_waits_for_the_dead)
        .declare(["value", "asleep", "later"])
        .run()
        .assert_clean();
}

scenario!(
    fn putter_waits_for_the_dead() {
        let (putter, getter) = Queue::new(1).expect("a queue").split().expect("ends");
        let [until, hold] = fork::PrivateFd::pipe().expect("two descriptors");
        let child = fork_with(getter, |_getter: Getter<u32>| {
            nix::unistd::pause();
            0
        })
        .expect("a child");
        drop((until, hold));
        putter.put(&7).expect("room");
        check(
            "full",
            matches!(putter.try_put(&8), Err(SendError::Full)),
            "while somebody could get",
        );
        std::thread::scope(|scope| {
            let told = scope.spawn(|| putter.put(&8));
            let joined = scope.spawn(|| putter.join());
            std::thread::yield_now();
            child.signal(SIGKILL).expect("it is ours");
            let told = told.join().expect("no panic");
            check("asleep", matches!(told, Err(SendError::Closed)), "who sleeps is told");
            let joined = joined.join().expect("no panic");
            let right = joined == Err(TaskError::Abandoned { unfinished: 1 });
            check("join", right, "and who waits for the work to be done");
        });
        child.wait().expect("its status");
    }
);

#[test]
fn who_puts_is_told_when_the_last_one_who_could_get_was_killed() {
    Judge::scenario(&putter_waits_for_the_dead)
        .declare(["full", "asleep", "join"])
        .run()
        .assert_clean();
}

scenario!(
    fn watches_a_process() {
        let queue = Queue::<u32>::new(1).expect("a queue");
        let child = fork::fork(|| {
            nix::unistd::pause();
            0
        })
        .expect("a child");
        let wait = Wait::forever().while_alive(child.sentinel().expect("a sentinel"));
        let stopped = Wait::at_most(SOON).while_alive(child.sentinel().expect("a sentinel"));
        child.signal(SIGSTOP).expect("it is ours");
        let empty = matches!(queue.get_within(stopped), Err(RecvError::Empty));
        check("stopped", empty, "one that is stopped has not ended");
        child.signal(SIGKILL).expect("it is ours");
        check("get", matches!(queue.get_within(wait), Err(RecvError::PeerEnded)), "a get is told");
        queue.put(&1).expect("room");
        check(
            "put",
            matches!(queue.put_within(&2, wait), Err(SendError::PeerEnded)),
            "a put is told",
        );
        check("value", queue.get_within(wait).ok() == Some(1), "what is there is got all the same");
        child.wait().expect("its status");
    }
);

#[test]
fn a_wait_for_a_process_by_its_sentinel_ends_with_it() {
    Judge::scenario(&watches_a_process)
        .declare(["stopped", "get", "put", "value"])
        .run()
        .assert_clean();
}

scenario!(
    fn joins_a_process_that_has_put_much() {
        // As much as no pipe holds: 1 MiB, while nobody gets.
        let (putter, getter) =
            Queue::<()>::with_room(1000, 2 << 20).expect("a queue").split().expect("ends");
        let child = fork_with(putter, |putter: Putter<()>| {
            (0..100).for_each(|_| putter.put_bytes(&[7; 10_000]).expect("room"));
            0
        });
        check("ended", ends_well(&child.expect("a child")), "it ends before anything is got");
        let mut message = Vec::new();
        let got =
            (0..100).all(|_| getter.get_bytes(&mut message).is_ok() && message.len() == 10_000);
        check("all", got, "and all that it put is there");
        check(
            "closed",
            matches!(getter.get_bytes(&mut message), Err(RecvError::Closed)),
            "then the end",
        );
    }
);

#[test]
fn a_process_that_has_put_much_can_be_joined_before_it_is_got() {
    Judge::scenario(&joins_a_process_that_has_put_much)
        .declare(["ended", "all", "closed"])
        .run()
        .assert_clean();
}

scenario!(
    fn in_a_child_that_was_given_nothing() {
        let (putter, getter) = Queue::new(4).expect("a queue").split().expect("ends");
        let child = fork::fork(|| {
            let put = matches!(putter.put(&7), Err(SendError::NotHere));
            let got = matches!(getter.try_get(), Err(RecvError::NotHere));
            i32::from(!put || !got)
        });
        check("child", ends_well(&child.expect("a child")), "an error says so");
        check(
            "parent",
            putter.put(&7).is_ok() && getter.get().ok() == Some(7),
            "the parent has both",
        );
    }
);

#[test]
fn an_end_that_was_not_handed_over_says_so() {
    Judge::scenario(&in_a_child_that_was_given_nothing)
        .declare(["child", "parent"])
        .run()
        .assert_clean();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let code = |made: std::io::Result<Queue<u8>>| made.expect_err("refused").raw_os_error();
    assert_eq!(code(Queue::new(0)), Some(libc::EINVAL));
    assert_eq!(code(Queue::with_room(1, 0)), Some(libc::EINVAL));
    assert_eq!(code(Queue::with_room(1, 2 << 30)), Some(libc::EINVAL));
    assert_eq!(code(Queue::with_room(usize::MAX, 4096)), Some(libc::EINVAL));
}
