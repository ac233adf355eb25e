use std::sync::LazyLock;

use ::redis::{Script, ScriptInvocation};

/// The keys of a queue, in the order of `shared.lua`. The braces put all of them into one slot of a cluster.
const KEYS: [&str; 11] = [
    "tasks", "ids", "leases", "back", "errors", "forgiven", "results", "dead", "workers", "wake",
    "settings",
];

/// A call of a script for this queue, without its arguments.
pub(super) fn call(script: &'static Script, queue: &str) -> ScriptInvocation<'static> {
    let mut call = script.prepare_invoke();
    for key in KEYS {
        call.key(self::key(queue, key));
    }
    call
}

pub(super) fn key(queue: &str, key: &str) -> String {
    format!("{{{queue}}}:{key}")
}

macro_rules! scripts {
    ($($name:ident $file:literal)*) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("shared.lua"), include_str!($file))));)*
    };
}

scripts! {
    OPEN "open.lua"
    PUT "put.lua"
    TAKE "take.lua"
    EXTEND "extend.lua"
    COMPLETE "complete.lua"
    FAIL "fail.lua"
    RELEASE "release.lua"
    LEAVE "leave.lua"
    RETRY "retry.lua"
    STATS "stats.lua"
    PURGE "purge.lua"
}
