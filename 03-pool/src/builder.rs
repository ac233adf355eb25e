use std::sync::Arc;
use std::thread;
use std::time::Duration;

use process::Target;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{self, Failure, Packer};
use crate::engine::Settings;
use crate::pump::Pump;
use crate::worker::Initializer;
use crate::zygote::Zygote;
use crate::{Error, Pool};

/// How a pool is to be: Python's keyword arguments of `Pool`, and a few more.
#[derive(Debug, Clone)]
#[must_use = "nothing starts before `build`"]
pub struct Builder {
    settings: Settings,
    error: Option<Error>,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        let processes = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Builder { settings: Settings { processes, ..Settings::default() }, error: None }
    }

    /// How many workers; without this, as many as this process has CPUs.
    pub fn processes(mut self, processes: usize) -> Builder {
        self.settings.processes = processes;
        self
    }

    /// What each worker does first. If it fails in one, the pool is of no use any more, and every
    /// task ends with [`Error::Initializer`]: no worker is started in vain again and again.
    pub fn initializer<F, Args>(mut self, function: F, args: Args) -> Builder
    where
        F: Target<Args, Output = ()>,
        Args: Serialize + DeserializeOwned + 'static,
    {
        let (mut packer, mut bytes) = (Packer::default(), Vec::new());
        packer.add(&args, Failure::Arguments, &mut bytes);
        packer.close(&mut bytes);
        self.settings.initializer = Initializer(Some((chunk::entry::<F, Args>(function), bytes)));
        self
    }

    /// A worker is replaced after so many tasks (a chunk is one), as a remedy for tasks that leak.
    pub fn max_tasks_per_child(mut self, tasks: u64) -> Builder {
        if tasks == 0 {
            self.error = Some(Error::EmptyChunks);
        }
        self.settings.max_tasks = Some(tasks);
        self
    }

    /// A task (a chunk is one) that runs for longer is ended with its worker: [`Error::TimedOut`].
    /// Up to a tenth may be added. Waiting for a worker does not count.
    pub fn task_timeout(mut self, timeout: Duration) -> Builder {
        self.settings.timeout = Some(timeout);
        self
    }

    /// So often a task is run again if its worker dies in it. Without this never: it may have done
    /// half of its work, and only you know whether it may be done twice. A panic and a timeout are
    /// the task's own, and are not tried again.
    pub fn retries(mut self, retries: u32) -> Builder {
        self.settings.retries = retries;
        self
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// [`Error::NoProcesses`]; [`Error::Start`] when the system refuses one of them, and then none is
    /// left over.
    pub fn build(self) -> Result<Pool, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let processes = self.settings.processes;
        if processes == 0 {
            return Err(Error::NoProcesses);
        }
        let zygote = Zygote::start(&self.settings.initializer)?;
        let pump = Arc::new(Pump::new(self.settings, Some(zygote))?);
        let helper = {
            let pump = pump.clone();
            thread::Builder::new().name("pool".to_owned()).spawn(move || pump.help())?
        };
        let mut engine = pump.lock();
        engine.helper = Some(helper.thread().clone());
        let started = engine.start();
        drop(engine);
        // Dropped at an error, it ends those that did start.
        let pool = Pool { pump, processes, helper: Some(helper) };
        started?;
        Ok(pool)
    }
}
