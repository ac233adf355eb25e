//! What TLS costs, beside the same without it: `cargo bench -p distributed --features tls --bench tls`

use std::time::{Duration, Instant};

use distributed::{Key, Manager, QueueConfig, Server, Tls, Value};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Turns, in which both sides alternate; the median counts.
const ROUNDS: usize = 15;

/// A measure: its name, how often in a turn, and what.
type Measure = (&'static str, u32, fn(&Manager, u32) -> Outcome);

const MEASURES: &[Measure] = &[
    ("put 64 bytes", 2_000, |manager, times| {
        let mut queue = manager.queue("queue")?;
        let text = "x".repeat(64);
        (0..times).try_for_each(|_| Ok(queue.put(&text)?))
    }),
    ("put and get a megabyte", 10, |manager, times| {
        let mut queue = manager.queue("large")?;
        for _ in 0..times {
            queue.put_value(Value::Bytes(vec![7; 1 << 20]), None)?;
            queue.get_value(None)?;
        }
        Ok(())
    }),
    ("connect, ask, and leave", 200, |manager, times| {
        (0..times).try_for_each(|_| Ok(manager.number_of_objects().map(drop)?))
    }),
];

fn main() -> Outcome {
    let folder = std::env::temp_dir().join(format!("tls-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let (server, client) = (folder.join("server.pem"), folder.join("client.pem"));
    let made = Tls::generate(&server, &client);
    let read = made.and_then(|()| Ok((Tls::from_file(&server)?, Tls::from_file(&client)?)));
    std::fs::remove_dir_all(&folder)?;
    let (server, client) = read?;

    let key = Key::new(b"abc");
    let serve = |tls: Option<Tls>| {
        let mut server = Server::new(key.clone());
        if let Some(tls) = tls {
            server = server.tls(tls);
        }
        let queues = QueueConfig { capacity: 1_000_000, ..QueueConfig::default() };
        let server = server.share("queue", queues.clone()).share("large", queues);
        server.listen("127.0.0.1:0").and_then(|it| it.spawn())
    };
    let (plain, encrypted) = (serve(None)?, serve(Some(server))?);
    let plain = Manager::at(plain.address(), &key).reach(Duration::ZERO).map(|it| (it, plain))?;
    let tls = Manager::at(encrypted.address(), &key).tls(client).reach(Duration::ZERO)?;

    println!("{:<26}{:>12}{:>12}{:>8}", "each", "plain", "TLS", "ratio");
    for (name, times, run) in MEASURES {
        let mut sides = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (side, manager) in sides.iter_mut().zip([&plain.0, &tls]) {
                let start = Instant::now();
                run(manager, *times)?;
                side.push(start.elapsed() / *times);
            }
        }
        let [plain, tls] = sides.map(|mut side| {
            side.sort_unstable();
            side[ROUNDS / 2].as_secs_f64() * 1e6
        });
        println!("{name:<26}{plain:>9.1} µs{tls:>9.1} µs{:>8.2}", tls / plain);
    }
    Ok(())
}
