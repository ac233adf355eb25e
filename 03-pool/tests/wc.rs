//! The real job: `pool wc` prints what `LC_ALL=C wc` prints.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use judge::{Judge, Report};
use pool::wc::{Plan, Report as Counted, count};

/// A folder of this test's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("pool-wc-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        // For whoever is not us, too: see `unreadable`.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        Folder(path)
    }

    fn file(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The real one, on the files in this order; the list goes through a file, as there may be more
/// than a command line holds.
fn gnu(folder: &Folder, files: &[PathBuf]) -> Output {
    let mut list = Vec::new();
    for file in files {
        list.extend_from_slice(file.as_os_str().as_bytes());
        list.push(0);
    }
    let name = std::env::temp_dir()
        .join(format!("{}.list", folder.0.file_name().expect("a name").display()));
    fs::write(&name, list).expect("a list");
    let output = Command::new("wc")
        .arg(format!("--files0-from={}", name.display()))
        .env("LC_ALL", "C")
        .output()
        .expect("wc is part of every GNU system");
    fs::remove_file(name).expect("ours");
    output
}

/// The regular files below, as find has them, sorted by their bytes.
fn found(path: &Path) -> Vec<PathBuf> {
    let output = Command::new("find").arg(path).args(["-type", "f", "-print0"]).output();
    let mut names: Vec<Vec<u8>> = output
        .expect("find is there")
        .stdout
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    names.sort_unstable();
    names.into_iter().map(|name| PathBuf::from(OsString::from_vec(name))).collect()
}

/// The packages in a registry's folders.
fn found_folders(sources: &Path) -> Vec<PathBuf> {
    let below = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let mut folders: Vec<PathBuf> = below(sources).iter().flat_map(|path| below(path)).collect();
    folders.sort_unstable();
    folders
}

fn ours(paths: &[PathBuf]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_pool")).arg("wc").args(paths).output_cap(64 << 20).run()
}

/// Word for word the same, on both outputs, and the same exit code.
#[track_caller]
fn assert_agree(report: &Report, gnu: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (ours, theirs) = (text(report.stdout_bytes()), text(&gnu.stdout));
    for (our, their) in ours.lines().zip(theirs.lines()) {
        assert_eq!(our, their);
    }
    assert!(report.stdout_bytes() == gnu.stdout, "the outputs differ:\n{ours}\n{theirs}");
    assert_eq!(report.stderr(), text(&gnu.stderr));
    assert_eq!(report.code(), gnu.status.code());
    report.assert_nothing_left();
}

/// Since coreutils 9.5 a word may consist of bytes that can't be printed.
fn counts_unprintable_words() -> bool {
    let mut wc = Command::new("wc");
    wc.arg("-w").env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut wc = wc.spawn().expect("wc");
    wc.stdin.take().expect("piped").write_all(b"\x01").expect("it reads");
    wc.wait_with_output().expect("its output").stdout.starts_with(b"1")
}

/// Bytes of all kinds.
fn noise(len: usize, mut seed: u64) -> Vec<u8> {
    let mut byte = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..len).map(|_| byte()).collect()
}

#[test]
fn it_agrees_with_wc_on_any_tree() {
    let folder = Folder::new("tree");
    let unprintable = if counts_unprintable_words() { &b""[..] } else { b"\x01 \xff\xfe \0x" };
    folder.file("empty", "");
    folder.file("no line end", "three words here");
    folder.file("spaces", "\t \x0b\x0c\r\n  a\rb\x0cc\x0bd  \n\n");
    folder.file("binary", unprintable);
    folder.file("a/b/c/deep", "deep\n");
    folder.file("a.txt", "before a/b in the order of bytes\n");
    folder.file("line\nend", "in the name\n");
    folder.file("it's", "quoted\n");
    folder.file(OsString::from_vec(b"\xe9\xff".to_vec()), "no UTF-8\n");
    for number in 0..300 {
        folder.file(format!("many/{number}"), format!("file number {number}\n"));
    }
    // Cut in pieces, in the middle of a word and of a run of spaces.
    folder.file("large/word", "x".repeat(5 << 20));
    folder.file("large/words", "ab cd\n".repeat(800_000));
    folder.file("large/spaces", " ".repeat((8 << 20) + 1));
    if !unprintable.is_empty() {
        folder.file("large/noise", noise((4 << 20) + 5, 1));
        folder.file("large/unprintable", [&b"a"[..], &[1; 5 << 20], b"b"].concat());
    }
    symlink("a.txt", folder.0.join("link")).expect("a link");
    symlink("nowhere", folder.0.join("dangling")).expect("a link");
    nix::unistd::mkfifo(&folder.0.join("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    assert_agree(&ours(std::slice::from_ref(&folder.0)), &gnu(&folder, &found(&folder.0)));
}

#[test]
fn it_agrees_with_wc_on_what_it_is_given_by_name() {
    let folder = Folder::new("names");
    let file = folder.file("file", "one two\nthree\n");
    let link = folder.0.join("link");
    symlink("file", &link).expect("a link");
    let missing = |name: &str| folder.0.join(name);
    for files in [
        vec![file.clone()],
        vec![link, file.clone()],
        vec![file.clone(), file.clone(), PathBuf::from("/dev/null")],
        vec![PathBuf::from("/proc/self/mem")],
        vec![PathBuf::from("/dev/null")],
        vec![missing("not there")],
        vec![file.clone(), missing("no"), missing("no such"), missing("it's"), missing("a'b$")],
        vec![missing("line\nend"), missing("a\tb\u{7f}c"), missing("~x"), missing("né"), file],
        vec![PathBuf::from("~x"), PathBuf::from("#x"), PathBuf::from("{"), PathBuf::from("{x")],
    ] {
        assert_agree(&ours(&files), &gnu(&folder, &files));
    }
}

#[test]
fn several_paths_are_counted_in_their_order() {
    let folder = Folder::new("order");
    let (a, b) = (folder.file("a/x", "1\n"), folder.file("b/y", "2\n"));
    let paths = [folder.0.join("b"), a.clone(), folder.0.join("a"), b.clone()];
    assert_agree(&ours(&paths), &gnu(&folder, &[b.clone(), a.clone(), a, b]));
}

#[test]
fn it_agrees_with_wc_on_the_sources_of_the_registry() {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let Some(sources) = cargo.map(|cargo| cargo.join("registry/src")).filter(|path| path.exists())
    else {
        println!("skipped: no registry here");
        return;
    };
    if counts_unprintable_words() {
        println!("skipped: this wc takes unprintable bytes for words");
        return;
    }
    let folder = Folder::new("registry");
    // A debug build reads ten megabytes a second: some packages, and all of them on demand.
    let all = std::env::var_os("COURSE_STRESS_SECONDS").is_some();
    let (mut packages, mut files, mut bytes) = (Vec::new(), Vec::new(), 0);
    for package in found_folders(&sources) {
        let of_package = found(&package);
        bytes += of_package
            .iter()
            .filter_map(|file| fs::metadata(file).ok())
            .map(|it| it.len())
            .sum::<u64>();
        if bytes < 20 << 20 || all {
            packages.push(package);
            files.extend(of_package);
        }
    }
    println!("{} files", files.len());
    assert_agree(&ours(&packages), &gnu(&folder, &files));
}

/// What root can't be shown: `wc` and `pool wc` as a user who may not read everything.
#[test]
fn what_cant_be_read_is_told_as_wc_tells_it() {
    let folder = Folder::new("unreadable");
    let fine = folder.file("fine", "fine\n");
    let secret = folder.file("secret", "secret\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o0)).expect("ours");
    let shut = folder.0.join("shut");
    fs::create_dir(&shut).expect("a folder");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o0)).expect("ours");
    // The program lies where another user can't go, perhaps: it is copied to where he can.
    let program = folder.0.join("program");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_pool")).arg(&program).status();
    assert!(copied.expect("cp").success());
    let run = |program: &Path, arguments: &[&Path]| {
        let mut command = Command::new(program);
        command.args(arguments).env("LC_ALL", "C").current_dir("/");
        if nix::unistd::getuid().is_root() {
            use std::os::unix::process::CommandExt;
            command.uid(65_534).gid(65_534);
        }
        command.output().expect("it can be run")
    };
    let ours = run(&program, &[Path::new("wc"), &fine, &secret]);
    let theirs = run(Path::new("wc"), &[&fine, &secret]);
    assert_eq!(ours, theirs, "files");
    let ours = run(&program, &[Path::new("wc"), &shut, &fine]);
    let text = String::from_utf8_lossy(&ours.stderr).into_owned();
    assert_eq!(text, format!("wc: {}: Permission denied\n", shut.display()));
    assert_eq!(ours.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&ours.stdout), format!("1 1 5 {}\n", fine.display()));
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn the_same_job_without_a_pool_prints_the_same() {
    let folder = Folder::new("alone");
    folder.file("words", "ab cd\n".repeat(1_500_000));
    folder.file("other", "x");
    let plan = Plan::new([&folder.0]);
    assert_eq!((plan.len(), plan.is_empty()), (2, false));
    let mut batches = plan.batches();
    batches.reverse();
    let mut report = Counted::new(plan);
    batches.into_iter().for_each(|batch| report.add(count(batch)));
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    assert!(report.print(&mut out, &mut errors).expect("memory"));
    let gnu = gnu(&folder, &found(&folder.0));
    assert_eq!((out, errors), (gnu.stdout, gnu.stderr));
}

#[test]
fn contents_say_the_same_without_the_files() {
    let folder = Folder::new("contents");
    folder.file("large", "seven77 ".repeat(400_000));
    folder.file("exact", "line\n".repeat(1 << 20).get(..2 << 20).expect("long"));
    (0..200).for_each(|number| drop(folder.file(format!("small/{number}"), "a b\nc")));
    folder.file("empty", "");
    let files = [found(&folder.0), vec!["/nowhere".into(), "/proc/self/mem".into()]].concat();
    let plan = Plan::new(&files);
    let contents: Vec<_> = plan.contents().collect();
    let gnu = gnu(&folder, &files);
    drop(folder);
    assert!(contents.iter().all(|it| it.bytes <= 1 << 20) && contents.len() > 6);
    assert!(contents.iter().all(|it| it.bytes > 0), "not worth sending");
    let mut report = Counted::new(plan);
    contents.iter().rev().for_each(|it| report.add(it.count()));
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    assert!(!report.print(&mut out, &mut errors).expect("memory"));
    assert_eq!((out, errors), (gnu.stdout, gnu.stderr));
}

#[test]
fn a_terminal_sees_a_bar_and_the_same_lines() {
    let folder = Folder::new("bar");
    let file = folder.file("words", "ab cd\n".repeat(1_500_000));
    let judge = Judge::program(env!("CARGO_BIN_EXE_pool")).arg("wc").arg(&file);
    let report = judge.terminal(true).run();
    report.assert_clean();
    let text = report.stdout();
    assert!(text.contains("of 9 MiB"), "{text:?}");
    // The bar is wiped off before the first line.
    let last = text.rsplit('\r').find(|part| !part.trim().is_empty()).expect("a line");
    assert_eq!(last.trim_end(), format!("1500000 3000000 9000000 {}", file.display()));
}
