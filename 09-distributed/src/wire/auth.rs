use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Sha256, Sha384};

use crate::wire::Key;

/// Before the handshake is done no frame may be longer: Python's limit, too.
pub(crate) const CHALLENGE_LIMIT: usize = 256;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
pub(crate) const FAILURE: &[u8] = b"#FAILURE#";

/// Each side sends the other random bytes, and gets them back with a code that only somebody with the
/// key can make of them (HMAC, RFC 2104). The key itself is never sent.
///
/// No input and output here: [`Handshake::step`] takes a frame and says what to answer, so that the
/// client's blocking loop and the server's poll loop share it.
#[derive(Debug)]
pub(crate) struct Handshake {
    key: Key,
    awaits: Awaits,
    serving: bool,
}

#[derive(Debug)]
enum Awaits {
    Challenge,
    /// To the challenge that we sent, random each time: what was recorded once fits no other.
    Response(Vec<u8>),
    Welcome,
}

/// What a frame led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send this, and wait for the next one.
    Send(Vec<u8>),
    /// Send this, and both sides know each other.
    SendLast(Vec<u8>),
    /// Both sides know each other.
    Done,
}

impl Handshake {
    /// The server speaks first: also the frame to begin with.
    pub(crate) fn serve(key: Key, random: [u8; 40]) -> (Handshake, Vec<u8>) {
        let (challenge, frame) = challenge(random);
        (Handshake { key, awaits: Awaits::Response(challenge), serving: true }, frame)
    }

    pub(crate) fn connect(key: Key) -> Handshake {
        Handshake { key, awaits: Awaits::Challenge, serving: false }
    }

    pub(crate) fn step(
        &mut self,
        frame: &[u8],
        random: impl FnOnce() -> [u8; 40],
    ) -> Result<Step, AuthError> {
        match &self.awaits {
            Awaits::Challenge => {
                let message = frame.strip_prefix(CHALLENGE).ok_or(AuthError::NotPython)?;
                let response = respond(&self.key, message)?;
                self.awaits = Awaits::Welcome;
                Ok(Step::Send(response))
            }
            Awaits::Response(message) => {
                verify(&self.key, message, frame)?;
                let welcome = WELCOME.to_vec();
                if self.serving {
                    self.awaits = Awaits::Challenge;
                    return Ok(Step::Send(welcome));
                }
                Ok(Step::SendLast(welcome))
            }
            Awaits::Welcome if frame != WELCOME => Err(AuthError::Refused),
            Awaits::Welcome if self.serving => Ok(Step::Done),
            Awaits::Welcome => {
                let (challenge, frame) = challenge(random());
                self.awaits = Awaits::Response(challenge);
                Ok(Step::Send(frame))
            }
        }
    }
}

/// What must come back authenticated, and the frame that asks for it.
///
/// Python 3.12 and later read the name of the hash in braces. Older ones take the whole as random
/// bytes and answer with HMAC-MD5 of it.
fn challenge(random: [u8; 40]) -> (Vec<u8>, Vec<u8>) {
    let message = [b"{sha256}", &random[..]].concat();
    let frame = [CHALLENGE, &message].concat();
    (message, frame)
}

/// The answer of somebody who has the key, in the form that the challenge asks for.
fn respond(key: &Key, message: &[u8]) -> Result<Vec<u8>, AuthError> {
    // A shorter one could be made to look like something else that we sign.
    if message.len() < 20 {
        return Err(AuthError::ShortChallenge(message.len()));
    }
    Ok(match hash(message)? {
        // Python up to 3.11: exactly twenty bytes, without a name.
        Hash::Legacy => mac::<Hmac<Md5>>(key, message).finalize().into_bytes().to_vec(),
        Hash::Md5 => named("{md5}", mac::<Hmac<Md5>>(key, message)),
        Hash::Sha256 => named("{sha256}", mac::<Hmac<Sha256>>(key, message)),
        Hash::Sha384 => named("{sha384}", mac::<Hmac<Sha384>>(key, message)),
    })
}

fn named(name: &str, mac: impl Mac) -> Vec<u8> {
    [name.as_bytes(), &mac.finalize().into_bytes()].concat()
}

/// Whether this is the answer of somebody who has the key. Which hash, the answer says; the code covers
/// the challenge's `{sha256}` too, so nobody in between can talk the two into a weaker one. The comparison takes
/// the same time however much of the code is right.
fn verify(key: &Key, message: &[u8], response: &[u8]) -> Result<(), AuthError> {
    let code = |name: &str| &response[name.len()..];
    match hash(response)? {
        Hash::Legacy => mac::<Hmac<Md5>>(key, message).verify_slice(response),
        Hash::Md5 => mac::<Hmac<Md5>>(key, message).verify_slice(code("{md5}")),
        Hash::Sha256 => mac::<Hmac<Sha256>>(key, message).verify_slice(code("{sha256}")),
        Hash::Sha384 => mac::<Hmac<Sha384>>(key, message).verify_slice(code("{sha384}")),
    }
    .map_err(|_| AuthError::WrongKey)
}

fn mac<M: Mac + KeyInit>(key: &Key, message: &[u8]) -> M {
    let mac = <M as KeyInit>::new_from_slice(key.bytes()).expect("HMAC takes keys of any length");
    mac.chain_update(message)
}

enum Hash {
    Legacy,
    Md5,
    Sha256,
    Sha384,
}

/// By the rules of Python 3.12: 20 bytes are an old challenge and 16 an old answer; everything
/// else says which hash it means.
fn hash(message: &[u8]) -> Result<Hash, AuthError> {
    if [16, 20].contains(&message.len()) {
        return Ok(Hash::Legacy);
    }
    [("{md5}", Hash::Md5), ("{sha256}", Hash::Sha256), ("{sha384}", Hash::Sha384)]
        .into_iter()
        .find_map(|(name, hash)| message.starts_with(name.as_bytes()).then_some(hash))
        .ok_or(AuthError::UnknownHash)
}

/// The other side did not show that it has the key, or would not have us.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// What came is no part of this handshake: another kind of program, or an attack.
    NotPython,
    /// Its challenge is too short to be safe to answer.
    ShortChallenge(usize),
    /// It wants a hash that is not known here.
    UnknownHash,
    /// It has another key.
    WrongKey,
    /// It says that we have another key.
    Refused,
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthError::NotPython => {
                write!(f, "it does not speak the protocol of Python's managers")
            }
            AuthError::ShortChallenge(len) => {
                write!(f, "its challenge has {len} bytes: fewer than 20 are not safe to answer")
            }
            AuthError::UnknownHash => {
                write!(f, "it wants a hash other than md5, sha256 and sha384")
            }
            AuthError::WrongKey => write!(f, "it has another key than we"),
            AuthError::Refused => write!(f, "it refused our key: do both sides use the same?"),
        }
    }
}

impl std::error::Error for AuthError {}
