//! What the judge and its supervisor tell each other while a program runs.

use std::io;

use crate::report::Report;
use crate::wire::Wire;

#[derive(Debug)]
pub(crate) enum Order {
    Signal(i32),
    SignalGroup(i32),
    Stdin(Vec<u8>),
    CloseStdin,
    Explain,
}

impl Wire for Order {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Order::Signal(signal) => (0u64, *signal).put(to),
            Order::SignalGroup(signal) => (1u64, *signal).put(to),
            Order::Stdin(bytes) => {
                2u64.put(to);
                bytes.put(to);
            }
            Order::CloseStdin => 3u64.put(to),
            Order::Explain => 4u64.put(to),
        }
    }
    fn get(from: &mut &[u8]) -> io::Result<Order> {
        Ok(match u64::get(from)? {
            0 => Order::Signal(i32::get(from)?),
            1 => Order::SignalGroup(i32::get(from)?),
            2 => Order::Stdin(Vec::get(from)?),
            3 => Order::CloseStdin,
            _ => Order::Explain,
        })
    }
}

#[derive(Debug)]
pub(crate) enum Event {
    /// The run's folder. From here on the program may run.
    Begins(Vec<u8>),
    /// The program's pid, and whose descendants its processes are.
    Started(i32, i32),
    Stdout(Vec<u8>),
    Explained(Vec<String>),
    Done(Box<Report>),
}

impl Wire for Event {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Event::Started(pid, root) => (0u64, (*pid, *root)).put(to),
            Event::Stdout(bytes) => {
                1u64.put(to);
                bytes.put(to);
            }
            Event::Explained(lines) => {
                2u64.put(to);
                lines.put(to);
            }
            Event::Begins(folder) => {
                4u64.put(to);
                folder.put(to);
            }
            Event::Done(report) => {
                3u64.put(to);
                report.put(to);
            }
        }
    }
    fn get(from: &mut &[u8]) -> io::Result<Event> {
        Ok(match u64::get(from)? {
            0 => Event::Started(i32::get(from)?, i32::get(from)?),
            1 => Event::Stdout(Vec::get(from)?),
            2 => Event::Explained(Vec::get(from)?),
            4 => Event::Begins(Vec::get(from)?),
            _ => Event::Done(Box::new(Report::get(from)?)),
        })
    }
}
