// Wrong: an empty list of tasks is taken for the end.
// Refused by: an_idle_worker_stays_until_all_is_finished
// Told: an idle worker was sent home
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

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

pub fn ask(conn: &mut BufReader<TcpStream>, task: u64) -> io::Result<u64> {
    conn.get_mut().write_all(format!("{task}\n").as_bytes())?;
    let mut line = String::new();
    conn.read_line(&mut line)?;
    line.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

pub fn handle(
    conn: TcpStream,
    tasks: &[u64],
    state: &Mutex<State>,
    changed: &Condvar,
) -> io::Result<()> {
    conn.set_read_timeout(Some(LEASE))?;
    let mut conn = BufReader::new(conn);
    loop {
        let mut st = state.lock().unwrap();
        let Some(i) = st.todo.pop_front() else { return Ok(()) };
        drop(st);
        let answer = ask(&mut conn, tasks[i]);
        let mut st = state.lock().unwrap();
        match &answer {
            Ok(v) => st.results[i] = Some(*v),
            Err(_) => st.todo.push_front(i),
        }
        drop(st);
        changed.notify_all();
        answer?;
    }
}

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
