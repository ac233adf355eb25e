//! The task queue in a Redis server instead of ours: `--redis URL`.

use std::error::Error;

use crate::demo::options::Options;

/// Without the feature.
pub(crate) const MISSING: &str =
    "--redis: this program was built without it: cargo run -p distributed --features redis -- …";

#[cfg(feature = "redis")]
pub(crate) fn open(
    url: &str,
    options: &Options,
) -> Result<distributed::RedisTasks, Box<dyn Error>> {
    use crate::demo::{TASKS, options::ABSENCE};

    let user_and_host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let user_and_host = user_and_host.split('/').next().unwrap_or_default();
    let (user, host) = user_and_host.rsplit_once('@').unwrap_or(("", user_and_host));
    if user.contains(':') {
        return Err("a password on the command line is for everybody to read, in `ps`: give it in a file, with \
                    --key-file FILE, or in the environment variable AUTHKEY"
            .into());
    }
    if url.starts_with("redis://") && !options.plain && !is_loopback(host) {
        return Err("beyond this machine everything would be readable on its way, the password too: tunnel it \
                    (ssh -L), or say --plain for a network that you trust"
            .into());
    }
    let password = options.given_key()?;
    let mut tasks = distributed::RedisTasks::open(url, password.as_ref(), TASKS, ABSENCE)?;
    for risk in tasks.risks()? {
        eprintln!("distributed: {risk}");
    }
    Ok(tasks)
}

#[cfg(feature = "redis")]
fn is_loopback(host: &str) -> bool {
    use std::net::ToSocketAddrs;

    let found = host.to_socket_addrs().or_else(|_| format!("{host}:6379").to_socket_addrs());
    found.is_ok_and(|mut found| found.all(|address| address.ip().is_loopback()))
}

#[cfg(not(feature = "redis"))]
pub(crate) fn open(_: &str, _: &Options) -> Result<distributed::RemoteTasks, Box<dyn Error>> {
    Err(MISSING.into())
}
