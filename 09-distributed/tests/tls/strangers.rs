//! Those who have no part in it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use distributed::{
    AuthError, CallError, ConnectError, Key, Manager, QueueConfig, Running, Tls, Value,
};

use crate::support::{self, Dice, between, key, stress};
use crate::{LONG, NONE, Pair, at, serve, serve_with, serving};

#[test]
fn each_side_trusts_the_other_ones_certificate_and_no_other() {
    let (server, ours) = serving();
    let theirs = Pair::new();
    let impostor = serve(theirs.tls("server"), QueueConfig::default(), LONG);
    let honest = at(server.address(), ours.tls("client"));
    let [own_key, own_certificate, _] = theirs.blocks("client");
    let [_, _, servers_certificate] = ours.blocks("client");
    let knows_the_server = theirs.mixed(&[&own_key, &own_certificate, &servers_certificate]);
    let cases = [
        ("a client of another farm", server.address(), theirs.tls("client")),
        ("one that knows our server", server.address(), knows_the_server),
        ("one with the server's file", server.address(), ours.tls("server")),
        ("a server with another certificate", impostor.address(), ours.tls("client")),
    ];
    for (who, address, tls) in cases {
        let start = Instant::now();
        let refused = at(address, tls).reach(LONG);
        assert!(matches!(refused, Err(ConnectError::Tls(..))), "{who}: {refused:?}");
        assert!(start.elapsed() < LONG / 2, "{who}: as if waiting could help");
        honest.number_of_objects().expect("it does not notice");
    }
}

#[test]
fn a_certificate_opens_nothing_without_the_key() {
    let (server, pair) = serving();
    let stranger = Manager::at(server.address(), &Key::new(b"abd")).tls(pair.tls("client"));
    let refused = stranger.reach(LONG);
    assert!(matches!(refused, Err(ConnectError::Auth(_, AuthError::Refused))), "{refused:?}");
}

#[test]
fn with_and_without_tls_refuse_each_other_and_nobody_waits_for_long() {
    let pair = Pair::new();
    let deadline = Duration::from_millis(300);
    let server = serve(pair.tls("server"), QueueConfig::default(), deadline);
    let start = Instant::now();
    let plain = Manager::at(server.address(), &key()).reach(NONE);
    assert!(matches!(plain, Err(ConnectError::Call(_, CallError::Lost(_)))), "{plain:?}");
    // A frame is no TLS: that is seen at once. A silent one has the time of every stranger.
    let mut talking = TcpStream::connect(server.address()).expect("the server is there");
    talking.write_all(&[0, 0, 0, 4, 1, 2, 3, 4]).expect("it listens");
    talking.set_read_timeout(Some(LONG)).expect("a socket");
    let told = talking.read_to_end(&mut Vec::new());
    assert!(told.is_ok_and(|len| len < 16) && start.elapsed() < LONG / 2, "it was not closed");
    at(server.address(), pair.tls("client")).reach(NONE).expect("it goes on");

    let server = support::server();
    let start = Instant::now();
    let refused = at(server.address(), pair.tls("client")).reach(LONG);
    assert!(matches!(refused, Err(ConnectError::Tls(..))), "{refused:?}");
    assert!(start.elapsed() < LONG / 2, "as if waiting could help");
    support::manager(&server).number_of_objects().expect("it goes on");
}

#[test]
fn who_reads_along_reads_nothing() {
    let secret = "what nobody else is to know";
    let (server, pair) = serving();
    let plain = support::server();
    let overheard = |server: &Running, name: &str, tls: Option<Tls>| {
        let (address, sent) = between(server.address(), |_| {});
        let mut manager = Manager::at(address, &key());
        if let Some(tls) = tls {
            manager = manager.tls(tls);
        }
        let mut queue = manager.queue(name).expect("it is registered");
        queue.put(secret).expect("there is room");
        let sent: Vec<u8> = sent.try_iter().flatten().collect();
        sent.windows(secret.len()).any(|part| part == secret.as_bytes())
    };
    assert!(overheard(&plain, "get_task_queue", None), "then this test sees nothing at all");
    assert!(!overheard(&server, "queue", Some(pair.tls("client"))));
}

/// A second of clients whose bytes are changed on the way. `STRESS=60` for a minute.
#[test]
fn who_changes_what_passes_breaks_the_connection_and_no_value() {
    let (server, pair) = serving();
    let tls = pair.tls("client");
    let mut honest = at(server.address(), tls.clone()).queue("queue").expect("it is registered");
    let mut dice = Dice(0x5bd1_e995_9e37_79b9);
    let (end, mut lied, mut broken) = (Instant::now() + stress(), 0, 0);
    while Instant::now() < end || lied < 3 || broken < 3 {
        let (mut own, mut sound) = (Dice(dice.roll() | 1), dice.below(24));
        let (address, _sent) = between(server.address(), move |bytes| {
            sound = sound.saturating_sub(1);
            if sound == 0 && own.below(2) == 0 {
                own.spoil(bytes);
            }
        });
        let changed = at(address, tls.clone()).patience(Duration::from_millis(200)).queue("queue");
        match changed.map(|mut queue| (0..8).all(|_| queue.put_timeout(&1, NONE).is_ok())) {
            Ok(true) => {}
            Ok(false) => broken += 1,
            Err(_) => lied += 1,
        }
        honest.put(&1).expect("it does not notice");
    }
    println!("{lied} did not get in, {broken} broke later");
    while let Ok(value) = honest.get_value(Some(NONE)) {
        assert_eq!(value, Value::Int(1));
    }
}

/// Passes so many bytes on in each direction, then ends both.
fn cut(server: SocketAddr, after: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    std::thread::spawn(move || {
        let (near, _) = listener.accept()?;
        let far = TcpStream::connect(server)?;
        let pass = |mut from: &TcpStream, mut to: &TcpStream| {
            let _ = std::io::copy(&mut Read::by_ref(&mut from).take(after), &mut to);
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        };
        std::thread::scope(|scope| {
            scope.spawn(|| pass(&near, &far));
            pass(&far, &near);
        });
        Ok::<(), std::io::Error>(())
    });
    address
}

#[test]
fn a_connection_that_is_cut_anywhere_is_an_error_in_bounded_time() {
    let (server, pair) = serving();
    let honest = at(server.address(), pair.tls("client"));
    let mut through = 0;
    // From nothing at all to where the whole conversation fits in.
    for after in (0..100).chain((100..4000).step_by(97)) {
        let start = Instant::now();
        let stranger = at(cut(server.address(), after), pair.tls("client"));
        match stranger.reach(NONE) {
            Ok(_) => through += 1,
            Err(ConnectError::Call(_, CallError::Lost(_)) | ConnectError::Unreachable(..)) => {}
            Err(other) => panic!("after {after} bytes: {other:?}"),
        }
        assert!(start.elapsed() < LONG / 2, "after {after} bytes it waits");
    }
    assert!(through > 0, "it was never whole");
    honest.number_of_objects().expect("it does not notice");
}

#[test]
fn three_hundred_strangers_who_say_nothing_more_are_not_noticed() {
    let pair = Pair::new();
    let (serving, address) = serve_with(&pair);
    // The first that a client sends, and then no more.
    let (on_the_way, sent) = between(address, |_| {});
    let honest = at(address, pair.tls("client"));
    at(on_the_way, pair.tls("client")).reach(NONE).expect("it is there");
    let hello = sent.recv().expect("it said something");
    let mut early = honest.queue("get_task_queue").expect("it is registered");
    let crowd = |number: usize| {
        let mut stranger = TcpStream::connect(address).expect("it listens");
        if number.is_multiple_of(2) {
            stranger.write_all(&hello).expect("it listens");
        }
        stranger
    };
    let crowd: Vec<TcpStream> = (0..300).map(crowd).collect();
    for number in 0..20 {
        early.put(&number).expect("there is room");
        let mut late = honest.queue("get_task_queue").expect("it is registered");
        assert_eq!(late.get::<i32>().expect("it was put"), number);
    }
    let count = |what: &str| {
        std::fs::read_dir(format!("/proc/{}/{what}", serving.pid())).expect("it lives").count()
    };
    assert_eq!(count("task"), 1);
    assert!(count("fd") < 300, "{} descriptors", count("fd"));
    drop(crowd);
}
