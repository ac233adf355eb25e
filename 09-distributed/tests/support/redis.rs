//! A Redis server of one's own, for a test: on a free port, its files in a folder that goes with it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use distributed::{Key, QueueConfig, RedisTasks};
use judge::{Judge, Running};

pub(crate) const PASSWORD: &str = "a password for a test";
const ABSENCE: Duration = Duration::from_secs(10);

pub(crate) struct Redis {
    server: Option<Running>,
    folder: PathBuf,
    port: u16,
    config: QueueConfig,
}

impl Redis {
    pub(crate) fn start(config: QueueConfig) -> Redis {
        Redis::start_with(config, "appendonly yes\nappendfsync everysec\n")
    }

    /// With these lines in its configuration.
    pub(crate) fn start_with(config: QueueConfig, lines: &str) -> Redis {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("cargo's own folder can be written to");
        let mut redis = Redis { server: None, folder, port: 0, config };
        let usual = "bind 127.0.0.1\nsave \"\"\nmaxmemory-policy noeviction\n";
        // A port that was free a moment ago may be somebody's by now.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
            redis.port = free.expect("a port is free").port();
            let (port, dir) = (redis.port, redis.folder.display());
            let text =
                format!("port {port}\ndir \"{dir}\"\nrequirepass \"{PASSWORD}\"\n{usual}{lines}");
            std::fs::write(redis.folder.join("redis.conf"), text).expect("the folder is ours");
            if redis.is_started() {
                return redis;
            }
        }
        panic!("no redis-server could be started");
    }

    fn is_started(&mut self) -> bool {
        let server = Judge::program("redis-server").arg(self.folder.join("redis.conf"));
        let mut server = server.deadline(Duration::from_secs(3600)).start();
        while let Some(line) = server.read_line() {
            if line.contains("Ready to accept connections") {
                self.server = Some(server);
                return true;
            }
        }
        let report = server.finish();
        assert!(report.stdout().contains("Address already in use"), "{report}");
        false
    }

    /// SIGKILL, and the same again on the same port with the same files.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        assert!(self.is_started(), "its port is somebody else's now");
    }

    pub(crate) fn kill(&mut self) {
        let mut server = self.server.take().expect("it runs");
        server.signal(9);
        assert_eq!(server.finish().signal(), Some(9));
    }

    pub(crate) fn server(&mut self) -> &mut Running {
        self.server.as_mut().expect("it runs")
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn tasks(&self) -> RedisTasks {
        let mut tasks = open(&self.url(), ABSENCE);
        tasks.configure(&self.config).expect("it answers");
        tasks
    }
}

pub(crate) fn open(url: &str, absence: Duration) -> RedisTasks {
    let password = Key::new(PASSWORD.as_bytes());
    RedisTasks::open(url, Some(&password), "tasks", absence).expect("it is there")
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
