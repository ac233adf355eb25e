use std::time::Duration;

use ::redis::{
    Client, Connection, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, ScriptInvocation,
};

use crate::Key;
use crate::manager::Backoff;
use crate::tasks::QueueError;

/// For how long the server may leave a call without an answer that is not to wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that comes back, for one thread: who shared it would wait behind somebody's wait.
pub(super) struct Link {
    client: Client,
    connection: Option<Connection>,
    /// What is run first on each new connection. Says when the queue was made.
    pub(super) hello: ScriptInvocation<'static>,
    born: Option<String>,
    pub(super) absence: Duration,
}

impl Link {
    pub(super) fn open(
        url: &str,
        password: Option<&Key>,
        hello: ScriptInvocation<'static>,
        absence: Duration,
    ) -> Result<Link, QueueError> {
        // The URL is not shown: there may be a password in it.
        let failed = |error: RedisError| engine("this URL", error);
        let mut info = url.into_connection_info().map_err(failed)?;
        let mut login = info.redis_settings().clone().set_skip_set_lib_name();
        if let Some(password) = password {
            let text = std::str::from_utf8(password.bytes());
            login = login.set_password(text.map_err(|error| engine("its password", error))?);
        }
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        info = info.set_redis_settings(login).set_tcp_settings(tcp);
        let client = Client::open(info).map_err(failed)?;
        Ok(Link { client, connection: None, hello, born: None, absence })
    }

    /// Where the server is, for errors.
    pub(super) fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    /// Asks, and asks again after a pause when there was no answer, until the server was away for too long. So what is
    /// asked may be done twice. `wait` is for how long the server itself is to wait.
    pub(super) fn ask<T: FromRedisValue>(
        &mut self,
        wait: Duration,
        question: impl Fn(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, QueueError> {
        let mut backoff = Backoff::new();
        loop {
            let asked = match &mut self.connection {
                Some(connection) => {
                    within(connection, PATIENCE + wait).and_then(|()| question(connection))
                }
                None => match self.connect() {
                    Ok(Queue::Same) => continue,
                    Ok(Queue::New) => return Err(QueueError::Forgotten),
                    Err(error) => Err(error),
                },
            };
            let error = match asked {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // What comes now on this connection may be the answer to the last question.
            self.connection = None;
            if !is_temporary(&error) || !backoff.pause(wait + self.absence) {
                return Err(engine(self.address(), error));
            }
        }
    }

    fn connect(&mut self) -> Result<Queue, RedisError> {
        let mut connection = self.client.get_connection_with_timeout(PATIENCE)?;
        within(&connection, PATIENCE)?;
        let born = self.hello.invoke(&mut connection)?;
        self.connection = Some(connection);
        let before = self.born.replace(born);
        Ok(if before.is_none() || before == self.born { Queue::Same } else { Queue::New })
    }
}

/// What is there on a new connection.
enum Queue {
    Same,
    New,
}

fn within(connection: &Connection, time: Duration) -> Result<(), RedisError> {
    connection.set_read_timeout(Some(time))?;
    connection.set_write_timeout(Some(time))
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.address()).finish()
    }
}

/// Whether it may go better in a moment: nobody is there, or a server that reads its files, or is about to hand over to
/// another one.
fn is_temporary(error: &RedisError) -> bool {
    const SOON: [&str; 8] = [
        "LOADING",
        "MASTERDOWN",
        "READONLY",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "NOREPLICAS",
        "UNBLOCKED",
        "BUSY",
    ];
    match error.kind() {
        ErrorKind::Io => true,
        _ => error.code().is_some_and(|code| SOON.contains(&code)),
    }
}

pub(super) fn engine(
    server: impl Into<String>,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> QueueError {
    QueueError::Engine { server: server.into(), error: error.into() }
}
