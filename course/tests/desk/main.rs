//! The desk as a person meets it: started as a program, and looked at from outside.
#![forbid(unsafe_code)]

mod exercises;
mod map;
mod pace;
mod play;
mod support;
mod teacher;
