//! The server: two queues under the tutorial's names.

use std::io::{self, Write};

use distributed::{QueueConfig, Server};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::demo::options::Options;
use crate::demo::{Outcome, RESULTS, TASKS};

pub(crate) fn run(options: &Options) -> Outcome {
    let address = options.resolved()?;
    let key = options.key(address.ip())?;
    // Each client takes a descriptor, and 1,024 is soon too few.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(65_536), hard)?;
    let mut server = Server::new(key);
    if let Some(tls) = options.tls()? {
        server = server.tls(tls);
    }
    let server = server
        .share(TASKS, QueueConfig { results: Some(RESULTS.to_owned()), ..QueueConfig::default() })
        .share(RESULTS, QueueConfig::default())
        .listen(address)?;
    writeln!(io::stdout(), "Serving {TASKS} and {RESULTS} on {}", server.address())?;
    Ok(server.run()?)
}
