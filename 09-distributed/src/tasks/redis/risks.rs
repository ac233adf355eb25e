use std::time::Duration;

use ::redis::{Connection, RedisResult, cmd};

use crate::tasks::QueueError;
use crate::tasks::redis::link::Link;

/// What `INFO` says of the server. `CONFIG GET` would say more, and shows the password.
const SECTIONS: [&str; 3] = ["persistence", "memory", "replication"];

/// Whether what was answered is in a file, or will be: as far as can be known.
pub(super) fn has_log(link: &mut Link) -> Result<bool, QueueError> {
    let info = link.ask(Duration::ZERO, info)?;
    Ok(info.is_none_or(|info| value(&info, "aof_enabled") == Some("1")))
}

pub(super) fn risks(link: &mut Link) -> Result<Vec<String>, QueueError> {
    let address = link.address();
    let Some(info) = link.ask(Duration::ZERO, info)? else {
        return Ok(vec![format!(
            "the Redis server at {address} does not tell this user how it is set up, so nobody looks: +info"
        )]);
    };
    let mut risks = Vec::new();
    if value(&info, "aof_enabled") != Some("1") {
        risks.push(format!(
            "the Redis server at {address} keeps no append-only file: killed, it loses all tasks and results since its \
             last snapshot. `appendonly yes`"
        ));
    }
    let policy = value(&info, "maxmemory_policy").unwrap_or("unknown");
    if policy != "noeviction" {
        risks.push(format!(
            "the Redis server at {address} throws away tasks and results when its memory is full: maxmemory-policy is \
             {policy}. `maxmemory-policy noeviction`"
        ));
    }
    // The line with the good ones is there only if some are asked for.
    let replicas = value(&info, "connected_slaves").is_some_and(|number| number != "0");
    if replicas && value(&info, "min_slaves_good_slaves").is_none() {
        risks.push(format!(
            "the Redis server at {address} goes on alone when it has lost its replicas, and what it answers then is \
             lost if one of them takes over. `min-replicas-to-write 1`"
        ));
    }
    Ok(risks)
}

/// Nothing if this user may not ask.
fn info(connection: &mut Connection) -> RedisResult<Option<String>> {
    let mut all = String::new();
    for section in SECTIONS {
        match cmd("INFO").arg(section).query::<String>(connection) {
            Ok(text) => all.push_str(&text),
            Err(error) if error.code() == Some("NOPERM") => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(all))
}

/// Lines of `name:value`.
fn value<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
