//! Where each process and thread waits, in plain words.

use std::fs;

use crate::proc;

pub(crate) fn explain(root: i32) -> Vec<String> {
    let mut lines = Vec::new();
    for stat in proc::descendants(root) {
        for thread in proc::threads(stat.pid) {
            let state = proc::Stat::of_thread(stat.pid, thread).map_or('?', |stat| stat.state);
            let path = format!("/proc/{}/task/{thread}/wchan", stat.pid);
            let place = fs::read_to_string(path).unwrap_or_default();
            lines.push(format!(
                "process {} ({}), thread {thread}: state {state}, in {place}",
                stat.pid, stat.name
            ));
        }
    }
    lines
}
