//! What lies on the wire: frames, and the handshake that comes before everything else.

mod auth;
mod eager;
mod frame;
pub(crate) mod key;
#[cfg_attr(not(feature = "tls"), path = "wire/no_tls.rs")]
mod tls;
mod transport;

pub use auth::AuthError;
pub(crate) use auth::{CHALLENGE_LIMIT, FAILURE, Handshake, Step};
pub(crate) use eager::Eager;
pub use frame::FrameError;
pub(crate) use frame::{FrameReader, frame};
pub use key::{Key, KeyError};
pub use tls::Tls;
pub(crate) use transport::Transport;
