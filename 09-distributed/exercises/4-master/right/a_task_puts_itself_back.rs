// Right: a task that is out is a value, and puts itself back on every way out, a panic too.
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// A worker that does not answer within this time has lost its task.
pub const LEASE: Duration = Duration::from_millis(300);

pub struct State {
    pub todo: VecDeque<usize>,
    pub results: Vec<Option<u64>>,
}

impl State {
    pub fn finished(&self) -> bool {
        self.results.iter().all(|r| r.is_some())
    }
}

/// Send one task, read the answer.
pub fn ask(conn: &mut BufReader<TcpStream>, task: u64) -> io::Result<u64> {
    // one write: writeln! on a raw TcpStream makes two small ones, and Nagle's algorithm then costs 40 ms per task
    conn.get_mut().write_all(format!("{task}\n").as_bytes())?;
    let mut line = String::new();
    conn.read_line(&mut line)?;
    line.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A task that is out at a worker; when it is dropped without a result, it goes back.
struct Out<'a> {
    task: usize,
    result: Option<u64>,
    state: &'a Mutex<State>,
    changed: &'a Condvar,
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap();
        match self.result {
            None => state.todo.push_back(self.task),
            result => state.results[self.task] = result,
        }
        self.changed.notify_all();
    }
}

fn next<'a>(state: &'a Mutex<State>, changed: &'a Condvar) -> Option<Out<'a>> {
    let mut now = state.lock().unwrap();
    while !now.finished() {
        if let Some(task) = now.todo.pop_front() {
            return Some(Out { task, result: None, state, changed });
        }
        now = changed.wait(now).unwrap();
    }
    None
}

pub fn handle(
    conn: TcpStream,
    tasks: &[u64],
    state: &Mutex<State>,
    changed: &Condvar,
) -> io::Result<()> {
    let mut conn = BufReader::new(conn);
    conn.get_ref().set_read_timeout(Some(LEASE))?;
    while let Some(mut out) = next(state, changed) {
        out.result = Some(ask(&mut conn, tasks[out.task])?);
    }
    Ok(())
}

/// Accept workers until all tasks are done; results in the order of the tasks.
pub fn serve(listener: &TcpListener, tasks: &[u64]) -> io::Result<Vec<u64>> {
    let state =
        Mutex::new(State { todo: (0..tasks.len()).collect(), results: vec![None; tasks.len()] });
    let changed = Condvar::new();
    listener.set_nonblocking(true)?;
    std::thread::scope(|s| {
        while !state.lock().unwrap().finished() {
            match listener.accept() {
                Ok((conn, _)) => {
                    let _ = conn.set_nonblocking(false);
                    let (state, changed) = (&state, &changed);
                    s.spawn(move || handle(conn, tasks, state, changed));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    });
    Ok(state.into_inner().unwrap().results.into_iter().flatten().collect())
}
