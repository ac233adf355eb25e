//! The files, and the demo with them.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use distributed::{KeyError, Tls};
use judge::Judge;

use crate::Pair;
use crate::support::PROGRAM;

#[test]
fn files_are_made_once_for_their_owner_alone_and_others_are_refused() {
    let pair = Pair::new();
    let (server, client) = (pair.file("server"), pair.file("client"));
    let text = std::fs::read_to_string(&server).expect("it was made");
    let mode = |file: &Path| std::fs::metadata(file).expect("it is there").permissions().mode();
    assert_eq!([mode(&server) & 0o777, mode(&client) & 0o777], [0o600, 0o600]);
    // Neither is overwritten, and no half is left behind.
    let another = pair.file("another");
    for (one, two) in [(&server, &another), (&another, &server)] {
        let again = Tls::generate(one, two);
        assert!(
            matches!(&again, Err(KeyError::Io(file, error)) if *file == server && error.kind() == ErrorKind::AlreadyExists),
            "{again:?}"
        );
        assert!(!another.exists());
    }
    assert_eq!(std::fs::read_to_string(&server).expect("it was made"), text);

    assert_eq!(format!("{:?}", pair.tls("server")), "Tls(…)");
    let [key, own, other] = pair.blocks("server");
    let [others_key, ..] = pair.blocks("client");
    let cases = [
        (String::new(), "no items found"),
        (key.clone() + &own, "1 certificates"),
        (own.clone() + &other, "no items found"),
        (others_key + &own + &other, "keys"),
        (key + &own + &other.replace("MII", "MMM"), "BadEncoding"),
    ];
    for (text, reason) in cases {
        std::fs::write(&server, text).expect("it is ours");
        match Tls::from_file(&server) {
            Err(error @ KeyError::Tls(..)) => {
                assert!(error.to_string().contains(reason), "{error}")
            }
            other => panic!("{reason}: {other:?}"),
        }
    }
    std::fs::set_permissions(&client, PermissionsExt::from_mode(0o644)).expect("it is ours");
    assert!(matches!(Tls::from_file(&client), Err(KeyError::Open(_, 0o644))));
}

#[test]
fn server_master_and_worker_meet_over_tls() {
    let pair = Pair::new();
    let file = |name: &str| pair.0.join(name).to_string_lossy().into_owned();
    let made = Judge::program(PROGRAM).args(["keygen", &file("farm.key")]).run();
    made.assert_clean();
    for name in ["farm.key", "farm.server.pem", "farm.client.pem"] {
        assert!(made.stdout().contains(&file(name)), "{made}");
    }
    // One that is there already, and nothing new is left.
    std::fs::remove_file(file("farm.key")).expect("it was made");
    let again = Judge::program(PROGRAM).args(["keygen", &file("farm.key")]).run();
    assert!(again.stderr().contains("farm.server.pem is there already"), "{again}");
    assert!(!Path::new(&file("farm.key")).exists());

    let demo = |arguments: &[&str], pem: &str| {
        let demo = Judge::program(PROGRAM).env("AUTHKEY", "a key that is long enough");
        demo.args(arguments).args(["--tls", &file(pem)])
    };
    // Beyond this machine, as far as the server knows.
    let mut serving = demo(&["serve", "--listen", "0.0.0.0:0"], "farm.server.pem").start();
    let line = serving.wait_for_line(|line| line.starts_with("Serving "));
    let port = line.rsplit(':').next().expect("it says where");
    let address = format!("127.0.0.1:{port}");
    let worker = demo(&["worker", "--stay", "--connect", &address], "farm.client.pem").start();
    let master = demo(&["master", "--tasks", "3", "--connect", &address], "farm.client.pem").run();
    master.assert_clean();
    assert_eq!(master.stdout().lines().count(), 8, "{master}");
    assert_eq!(master.stderr(), "");
    let stats = demo(&["stats", "--once", "--connect", &address], "farm.client.pem").run();
    assert!(stats.stdout().contains("done           3\n"), "{stats}");
    drop(worker);
    let wrong = demo(&["dead", "list", "--connect", &address], "farm.server.pem").run();
    assert_eq!(wrong.code(), Some(1));
    assert!(wrong.stderr().contains("its own file of the same pair?"), "{wrong}");
}
