//! Those who don't have the key, and those who have it and lie.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use distributed::{
    AuthError, CallError, ConnectError, Key, Limits, Manager, QueueConfig, RemoteQueue, Server,
};
use judge::Judge;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use support::{Dice, PROGRAM, between, key, manager, server, stress};

/// What is still to come, until the other side ends or is silent for ten seconds.
fn rest(mut stream: &TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("it was not closed"),
        _ => bytes,
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let len = i32::try_from(payload.len()).expect("short");
    [&len.to_be_bytes()[..], payload].concat()
}

#[test]
fn a_wrong_key_is_refused_on_both_sides() {
    let server = server();
    let refused = Manager::connect(server.address(), &Key::new(b"abd"));
    assert!(matches!(refused, Err(ConnectError::Auth(_, AuthError::Refused))), "{refused:?}");
    // A server that lets everybody in and has no key is found out by the client.
    let impostor = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = impostor.local_addr().expect("it has one");
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = impostor.accept().expect("it comes");
        let challenge = [b"#CHALLENGE#{sha256}".as_slice(), &[7; 40]].concat();
        let mut answer = [0; 4 + 8 + 32];
        stream.write_all(&framed(&challenge)).expect("it listens");
        stream.read_exact(&mut answer).expect("it answers");
        stream.write_all(&framed(b"#WELCOME#")).expect("it listens");
        let mut challenge = [0; 4 + 11 + 8 + 40];
        stream.read_exact(&mut challenge).expect("it wants to know us");
        stream
            .write_all(&framed(&[b"{sha256}".as_slice(), &[0; 32]].concat()))
            .expect("it listens");
        rest(&stream)
    });
    let refused = Manager::connect(address, &key());
    assert!(matches!(refused, Err(ConnectError::Auth(_, AuthError::WrongKey))), "{refused:?}");
    assert_eq!(serve.join().expect("no panic"), framed(b"#FAILURE#"));
}

#[test]
fn a_challenge_that_is_not_safe_to_answer_is_not_answered() {
    let cases = [
        (&b"#CHALLENGE#short"[..], AuthError::ShortChallenge(5)),
        (b"#CHALLENGE#{sha1}0123456789012345678901234567890123456789", AuthError::UnknownHash),
        (b"HTTP/1.1 400 Bad Request", AuthError::NotPython),
    ];
    for (challenge, wanted) in cases {
        let impostor = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = impostor.local_addr().expect("it has one");
        let serve = std::thread::spawn(move || {
            let (mut stream, _) = impostor.accept().expect("it comes");
            stream.write_all(&framed(challenge)).expect("it listens");
            rest(&stream)
        });
        match Manager::connect(address, &key()) {
            Err(ConnectError::Auth(_, error)) => assert_eq!(error, wanted),
            other => panic!("{other:?}"),
        }
        assert_eq!(serve.join().expect("no panic"), framed(b"#FAILURE#"));
    }
}

#[test]
fn a_handshake_that_was_overheard_opens_nothing() {
    let server = server();
    let (address, sent) = between(server.address(), |_| {});
    Manager::connect(address, &key()).expect("it is passed on");
    let overheard: Vec<u8> = sent.try_iter().flatten().collect();
    let mut stream = TcpStream::connect(server.address()).expect("the server is there");
    stream.write_all(&overheard).expect("it listens");
    let answer = rest(&stream);
    assert!(answer.ends_with(&framed(b"#FAILURE#")), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn before_the_handshake_more_than_a_small_frame_is_refused_at_once() {
    let server = server();
    for start in [257_i32.to_be_bytes(), i32::MAX.to_be_bytes(), i32::MIN.to_be_bytes()] {
        let mut stream = TcpStream::connect(server.address()).expect("the server is there");
        stream.write_all(&start).expect("it listens");
        rest(&stream);
    }
    let mut stream = TcpStream::connect(server.address()).expect("the server is there");
    let long = [&(-1_i32).to_be_bytes()[..], &u64::MAX.to_be_bytes()].concat();
    stream.write_all(&long).expect("it listens");
    rest(&stream);
}

#[test]
fn a_stranger_has_one_deadline_however_he_spends_it() {
    let limits = Limits { handshake: Duration::from_millis(300), ..Limits::default() };
    let server = Server::new(key()).limits(limits).listen("127.0.0.1:0").and_then(|it| it.spawn());
    let server = server.expect("it serves");
    let silent = TcpStream::connect(server.address()).expect("the server is there");
    let mut slow = TcpStream::connect(server.address()).expect("the server is there");
    let start = Instant::now();
    rest(&silent);
    assert!(start.elapsed() >= Duration::from_millis(200), "it was given time");
    // A byte now and then does not buy more of it.
    slow.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket");
    let mut buffer = [0; 256];
    loop {
        match slow.read(&mut buffer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if slow.write_all(&[0]).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
        assert!(start.elapsed() < Duration::from_secs(10), "it is still served");
    }
}

#[test]
fn a_thousand_silent_sockets_cost_no_thread_and_honest_clients_do_not_notice() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("it can be asked");
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(4096), hard).expect("up to the hard limit");
    let mut serving = Judge::program(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("AUTHKEY", "abc")
        .start();
    let line = serving.wait_for_line(|line| line.starts_with("Serving "));
    let address: SocketAddr =
        line.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("it says where");
    let honest = Manager::connect(address, &key()).expect("it is there");
    let mut early = honest.queue("get_task_queue").expect("it is registered");
    let crowd: Vec<TcpStream> =
        (0..1000).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    // Both who were there before and who come now.
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

#[test]
fn whoever_has_shown_the_key_is_not_crowded_out() {
    let limits = Limits { strangers: 1, ..Limits::default() };
    let server = Server::new(key()).limits(limits).listen("127.0.0.1:0").and_then(|it| it.spawn());
    let server = server.expect("it serves");
    let (near, mut pieces, mut crowd) = (server.address(), 0, Vec::new());
    let (address, _sent) = between(near, move |_| {
        pieces += 1;
        // The first one was his code, the second one asks for the server's.
        let silent = if pieces == 2 { 3 } else { 0 };
        for _ in 0..silent {
            let mut stream = TcpStream::connect(near).expect("it listens");
            stream.read_exact(&mut [0]).expect("it is served");
            crowd.push(stream);
        }
    });
    Manager::connect(address, &key()).expect("he was known before they came");
}

#[test]
fn a_frame_that_is_too_long_ends_its_connection_and_no_other() {
    let limits = Limits { frame: 1000, ..Limits::default() };
    let server = Server::new(key()).limits(limits).share("queue", QueueConfig::default());
    let server = server.listen("127.0.0.1:0").and_then(|it| it.spawn()).expect("it serves");
    let (mut one, mut two) = (
        manager(&server).queue("queue").expect("it is registered"),
        manager(&server).queue("queue").expect("it is registered"),
    );
    assert!(matches!(one.put(&"x".repeat(1000)), Err(CallError::Lost(_))));
    two.put(&"x".repeat(900)).expect("that is not too long");
    assert_eq!(two.qsize().expect("it answers"), 1);
    one.reconnect(Duration::from_secs(5)).expect("it may come again");
    assert_eq!(one.qsize().expect("it answers"), 1);
}

/// A second of clients whose bytes are spoiled on the way: the same seed, the same faults. `STRESS=60` for a minute.
#[test]
fn spoiled_frames_harm_their_own_connection_alone() {
    let server = server();
    let mut honest = manager(&server).queue("get_result_queue").expect("it is registered");
    let mut dice = Dice(0x5bd1_e995_9e37_79b9);
    let (end, mut tried, mut lied, mut broken) = (Instant::now() + stress(), 0, 0, 0);
    // On a machine where a second is too short for some of each kind, longer.
    while Instant::now() < end || lied < 3 || broken < 3 {
        let (mut own, mut sound) = (Dice(dice.roll() | 1), dice.below(24));
        let (address, _sent) = between(server.address(), move |bytes| {
            sound = sound.saturating_sub(1);
            if sound == 0 && own.below(2) == 0 {
                own.spoil(bytes);
            }
        });
        let liar = Manager::at(address, &key()).patience(Duration::from_millis(20));
        if let Ok(mut queue) = liar.queue("get_task_queue") {
            lied += 1;
            let calls = |queue: &mut RemoteQueue| {
                queue.put_timeout(&("text", 1.5, [1, 2, 3]), Duration::ZERO)?;
                queue.get_value(Some(Duration::ZERO))
            };
            broken += (0..8).filter(|_| calls(&mut queue).is_err()).count();
        }
        honest.put(&tried).expect("it does not notice");
        tried += 1;
    }
    println!("{tried} clients, {lied} with the key, {broken} of their calls failed");
    for number in 0..tried {
        assert_eq!(honest.get::<i32>().expect("it was put"), number);
    }
}
