//! Many tasks on a few processes.
