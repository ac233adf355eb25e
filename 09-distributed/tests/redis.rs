//! The task queue in a Redis server: what every engine promises, and what this one does besides.
#![cfg(feature = "redis")]

mod conformance;
mod support;

use distributed::{QueueConfig, RedisTasks};
use support::redis::Redis;

impl conformance::Setup for Redis {
    type Queue = RedisTasks;
    fn new(config: QueueConfig) -> Redis {
        Redis::start(config)
    }
    fn client(&self) -> RedisTasks {
        self.tasks()
    }
}

conformance!(Redis, cfg_attr(not(redis_server), ignore = "redis-server is not installed"));
