//! `cargo course doctor`: what this machine can do, and what that means for the lessons.

use std::env;
use std::fs;

use crate::page::Page;
use crate::stop::Stop;

/// Something that some lessons need or use.
struct Need {
    what: &'static str,
    found: Option<String>,
    /// What is missed without it, and how to get it.
    without: &'static str,
}

/// Says what is here, what is missing, and what to do.
///
/// # Errors
///
/// [`Stop::Output`] if nobody reads it.
pub(crate) fn doctor(page: &mut Page) -> Result<(), Stop> {
    let mut missing = 0;
    for need in needs() {
        match need.found {
            Some(found) => page.raw(&format!("here     {:<22} {found}\n", need.what))?,
            None => {
                missing += 1;
                page.raw(&format!("missing  {}\n", need.what))?;
                page.paragraph("         ", need.without)?;
            }
        }
    }
    page.raw("\n")?;
    let text = match missing {
        0 => "Everything is here.",
        _ => "What is missing is missed only where it says so: all else works.",
    };
    Ok(page.paragraph("", text)?)
}

fn needs() -> Vec<Need> {
    vec![
        Need {
            what: "Linux 5.4 or newer",
            found: kernel().filter(|&(_, version)| version >= (5, 4)).map(|(name, _)| name),
            without: "All lessons wait for children by pidfd: nothing here runs without it. A newer kernel, or WSL2 \
                      (`wsl --update`).",
        },
        Need {
            what: "/proc",
            found: fs::metadata("/proc/self/stat").is_ok().then(|| "mounted".to_owned()),
            without: "The judge sees nothing then, and no test can run: mount it.",
        },
        Need {
            what: "cc, a C linker",
            found: program("cc"),
            without: "Nothing can be built: apt install gcc.",
        },
        Need {
            what: "user namespaces",
            found: namespaces(),
            without: "The judge holds what it runs by other means. Nothing to do, except in a container that forbids \
                      them on purpose.",
        },
        Need {
            what: "ptrace of children",
            found: ptrace(),
            without: "At a deadline the judge says less exactly where a program waits: set \
                      /proc/sys/kernel/yama/ptrace_scope to 0 or 1.",
        },
        Need {
            what: "python3",
            found: program("python3"),
            without: "The comparisons with Python are left out, and lesson 9 has nobody to speak Python with: apt \
                      install python3.",
        },
        Need {
            what: "nslookup",
            found: program("nslookup"),
            without: "Lesson 4 shows a program that is not found: apt install bind9-dnsutils.",
        },
        Need {
            what: "redis-server",
            found: program("redis-server").or_else(|| program("valkey-server")),
            without: "Lesson 9 leaves out its part on an engine: apt install redis-server.",
        },
        Need {
            what: "cargo-nextest",
            found: program("cargo-nextest"),
            without: "Nothing needs it; it runs the tests in parallel: cargo install cargo-nextest.",
        },
    ]
}

/// Where a program is, by PATH.
fn program(name: &str) -> Option<String> {
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.map(|file| file.display().to_string())
}

fn kernel() -> Option<(String, (u32, u32))> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    let version = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some((release.trim().to_owned(), version))
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn namespaces() -> Option<String> {
    let most = number("/proc/sys/user/max_user_namespaces")?;
    // Debian's own switch; and Ubuntu's, by AppArmor.
    let allowed = number("/proc/sys/kernel/unprivileged_userns_clone") != Some(0)
        && number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") != Some(1);
    (most > 0 && allowed).then(|| "allowed".to_owned())
}

fn ptrace() -> Option<String> {
    let scope = number("/proc/sys/kernel/yama/ptrace_scope").unwrap_or(0);
    (scope <= 1).then(|| "allowed".to_owned())
}
