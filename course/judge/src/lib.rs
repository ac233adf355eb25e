//! Runs a program and looks at it from outside.
