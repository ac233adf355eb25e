//! A real job: lines, words and bytes of many files, as `LC_ALL=C wc` counts and prints them.
//!
//! It knows nothing of pools. [`Plan::new`] finds the files and cuts the job into [`Batch`]es, which
//! can be sent to whoever sees the files (and into [`Contents`] for those who don't); [`count`] does one of them; a
//! [`Report`] puts the answers together, in whatever order they come, and prints what `wc` prints. One thread would do
//! it so:
//!
//! ```no_run
//! use pool::wc::{Plan, Report, count};
//!
//! let plan = Plan::new(["src"]);
//! let batches = plan.batches();
//! let mut report = Report::new(plan);
//! for batch in batches {
//!     report.add(count(batch));
//! }
//! report.print(&mut std::io::stdout(), &mut std::io::stderr())?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod bar;
mod contents;
mod count;
mod plan;
mod quote;
mod report;

pub use bar::Bar;
pub use contents::Contents;
pub use count::{Counts, Tally, count};
pub use plan::{Batch, Plan};
pub use report::Report;
