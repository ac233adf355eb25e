//! `threads wc` beside GNU `wc`, line by line.
#![deny(unsafe_code)]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use judge::{Judge, Report};

/// A folder of its own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("threads-wc-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &[u8], bytes: &[u8]) {
        let path = self.0.join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().expect("in the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ours<P: AsRef<Path>>(paths: &[P]) -> Report {
    let paths = paths.iter().map(|path| path.as_ref());
    Judge::program(env!("CARGO_BIN_EXE_threads")).arg("wc").args(paths).run()
}

/// The files below a path, in the order of their names.
fn below(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            match entry.file_type().expect("its kind") {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort_by_key(|path| path.as_os_str().as_bytes().to_owned());
    files
}

/// `None` without GNU `wc`.
fn gnu(files: &[PathBuf]) -> Option<Output> {
    let version = Command::new("wc").arg("--version").output().ok()?;
    if !String::from_utf8_lossy(&version.stdout).contains("GNU coreutils") {
        println!("skipped, as there is no GNU wc");
        return None;
    }
    let output = Command::new("wc").env("LC_ALL", "C").args(files).output();
    Some(output.expect("it was there just now"))
}

/// Whether `wc` takes control characters for parts of words, as it does since coreutils 9.5.
fn counts_invisible_words() -> bool {
    let folder = Folder::new("invisible");
    folder.write(b"one", b"\x01");
    gnu(&below(&folder.0)).is_some_and(|it| it.stdout.starts_with(b"0 1 1"))
}

fn assert_same(folder: &Folder) {
    let report = ours(&[&folder.0]);
    report.assert_clean();
    if let Some(gnu) = gnu(&below(&folder.0)) {
        assert_eq!(report.stdout(), String::from_utf8_lossy(&gnu.stdout));
    }
}

/// Bytes that look random, and are the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(next).collect()
}

#[test]
fn it_prints_what_wc_prints_for_all_files_below_a_path() {
    let folder = Folder::new("text");
    folder.write(b"empty", b"");
    folder.write(b"line", b"one line\n");
    folder.write(b"no-end", b"no end");
    folder.write(b"blanks", b" \t\n\x0b\x0c\r  \n");
    folder.write(b"a/b/c/deep", b"far\nbelow\n");
    folder.write(b"a-b", b"sorts before what is in a\n");
    folder.write(b"not text: \xff\xfe", b"a name that is no text\n");
    symlink("line", folder.0.join("link")).expect("a link, which is not followed");
    symlink("..", folder.0.join("a/up")).expect("a link to a folder, which isn't either");
    assert_same(&folder);
}

#[test]
fn a_file_that_is_cut_in_pieces_is_counted_as_a_whole() {
    let folder = Folder::new("large");
    // Words across all borders of pieces, and one that is longer than a piece.
    folder.write(b"words", "seven77 ".repeat(600_000).as_bytes());
    folder.write(b"one-word", "x".repeat(3 << 20).as_bytes());
    folder.write(
        b"gap",
        ["x".repeat(1 << 20), " ".repeat(1 << 20), "x".repeat(9)].concat().as_bytes(),
    );
    folder.write(b"exact", "line\n".repeat(1 << 20).get(..2 << 20).expect("long").as_bytes());
    assert_same(&folder);
}

#[test]
fn binary_files_are_counted_as_wc_does() {
    if counts_invisible_words() {
        println!("skipped: this wc counts invisible words");
        return;
    }
    let folder = Folder::new("binary");
    folder.write(b"noise", &noise(3 << 20));
    folder.write(b"invisible", b"\x01\x80 \xff\x01\n");
    folder.write(b"mixed", b"a\x01b \x80 c\0d");
    // A word that is open over a whole piece of what is neither visible nor blank.
    folder.write(b"over", &[b"x".as_slice(), &vec![0; 2 << 20], b" y"].concat());
    assert_same(&folder);
}

#[test]
fn what_can_not_be_read_is_told_and_the_rest_is_counted() {
    let folder = Folder::new("unreadable");
    folder.write(b"good", b"good\n");
    let paths = ["nowhere".as_ref(), folder.0.as_path(), "/proc/self/mem".as_ref()];
    let report = ours(&paths);
    assert_eq!(report.code(), Some(1));
    if let Some(gnu) = gnu(&["nowhere".into(), folder.0.join("good"), "/proc/self/mem".into()]) {
        assert_eq!(report.stdout(), String::from_utf8_lossy(&gnu.stdout));
        assert_eq!(report.stderr(), String::from_utf8_lossy(&gnu.stderr));
    }
    report.assert_nothing_left();
}

#[test]
fn on_a_terminal_it_shows_how_much_is_done_and_takes_that_away() {
    let folder = Folder::new("bar");
    folder.write(b"large", &vec![b'\n'; 40 << 20]);
    let file = folder.0.join("large");
    let judge = Judge::program(env!("CARGO_BIN_EXE_threads")).arg("wc").arg(&file);
    let report = judge.terminal(true).run();
    report.assert_clean();
    let printed = report.stdout();
    assert!(printed.contains("[####"), "{printed:?}");
    let mut parts = printed.rsplit('\r').map(str::trim);
    let lines = parts.find(|part| !part.is_empty()).expect("a line");
    assert_eq!(lines, format!("41943040        0 41943040 {}", file.display()));
}
