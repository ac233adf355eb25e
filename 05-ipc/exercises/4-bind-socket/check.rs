// What `bind_exclusive` must do at a path that is new, dead, alive, or somebody else's.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;

use judge::exercise::{Case, require};

use super::answer::bind_exclusive;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_new_path_listens),
    Case::of(&the_file_of_a_dead_server_is_replaced)
        .descriptor("a descriptor stays open: close the socket that you tried the address with"),
    Case::of(&a_live_server_keeps_its_address)
        .hang("hang: you wait for a server that is alive; to connect is enough"),
    Case::of(&another_file_is_not_touched),
    Case::of(&a_server_of_another_kind_keeps_its_address),
];

/// In the folder that belongs to this run.
fn path() -> PathBuf {
    std::env::temp_dir().join("server.sock")
}

judge::case!(
    fn a_new_path_listens() {
        let got = bind_exclusive(&path());
        require(got.is_ok(), &format!("at a new path it failed: {got:?}"));
        require(
            UnixStream::connect(path()).is_ok(),
            "it returned a listener, and nobody can connect to the path",
        );
    }
);

judge::case!(
    fn the_file_of_a_dead_server_is_replaced() {
        drop(UnixListener::bind(path()).expect("a server"));
        let got = bind_exclusive(&path());
        require(
            got.is_ok(),
            "no restart after a crash: the socket file of a dead server is still there \
             (AddrInUse); remove it when nobody answers",
        );
        require(UnixStream::connect(path()).is_ok(), "nobody can connect to the new server");
        drop(got);
    }
);

const STOLEN: &str = "you took the address away from a server that is alive: try to connect first, \
                      and remove the file only if the connection is refused";

judge::case!(
    fn a_live_server_keeps_its_address() {
        let server = UnixListener::bind(path()).expect("a server");
        server.set_nonblocking(true).expect("a socket");
        let got = bind_exclusive(&path());
        require(got.is_err(), STOLEN);
        while server.accept().is_ok() {}
        let reached = UnixStream::connect(path()).is_ok() && server.accept().is_ok();
        require(reached, STOLEN);
        let kind = got.map_err(|e| e.kind()).err();
        require(
            kind == Some(ErrorKind::AddrInUse),
            &format!("a server is alive there: say AddrInUse, and not {kind:?}"),
        );
    }
);

judge::case!(
    fn another_file_is_not_touched() {
        fs::write(path(), "a letter").expect("a file");
        let got = bind_exclusive(&path());
        require(
            fs::read_to_string(path()).is_ok_and(|text| text == "a letter"),
            "you removed a file that is no socket (a connection to it is refused, too): look with \
             is_socket() first",
        );
        let kind = got.map_err(|e| e.kind()).err();
        require(
            kind == Some(ErrorKind::AddrInUse),
            &format!("the path is taken by another file: say AddrInUse, and not {kind:?}"),
        );
    }
);

judge::case!(
    fn a_server_of_another_kind_keeps_its_address() {
        let server = UnixDatagram::bind(path()).expect("a server");
        let got = bind_exclusive(&path());
        let client = UnixDatagram::unbound().expect("a client");
        require(
            got.is_err() && client.send_to(b"x", path()).is_ok(),
            "you removed the socket of a live server for datagrams, to which you could not connect \
             for another reason: only ConnectionRefused says that nobody is there",
        );
        drop(server);
        let kind = got.map_err(|e| e.kind()).err();
        require(
            kind == Some(ErrorKind::AddrInUse),
            &format!("a server is alive there: say AddrInUse, and not {kind:?}"),
        );
    }
);
