use crate::pickle::{Class, PickleError, Value, from_pickle, write_answer};
use crate::wire::frame;

/// What a client asks: of the server itself, if it names no object.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) object: Option<String>,
    pub(crate) method: String,
    pub(crate) positional: Vec<Value>,
    pub(crate) keywords: Vec<(Value, Value)>,
}

impl Request {
    pub(crate) fn read(pickle: &[u8]) -> Result<Request, PickleError> {
        let wrong = PickleError::Malformed("a request is (object, method, arguments, keywords)");
        let Value::Tuple(parts) = from_pickle(pickle)? else { return Err(wrong) };
        let Ok([object, method, positional, keywords]) = <[Value; 4]>::try_from(parts) else {
            return Err(wrong);
        };
        let object = match object {
            Value::None => None,
            Value::Str(name) => Some(name),
            _ => return Err(wrong),
        };
        match (method, positional, keywords) {
            (
                Value::Str(method),
                Value::Tuple(positional) | Value::List(positional),
                Value::Dict(keywords),
            ) => Ok(Request { object, method, positional, keywords }),
            _ => Err(wrong),
        }
    }
}

/// What a server answers: a kind, and what comes with it.
#[derive(Debug, PartialEq)]
pub(crate) enum Response {
    Return(Value),
    /// An exception, to be raised as itself.
    Error(Class, Vec<Value>),
    /// An exception of which only the text can travel.
    Traceback(String),
    Unserializable(String),
    /// A new object: what may be called, and its token.
    Proxy(Value),
}

impl Response {
    /// A failure that has no class to arrive as.
    pub(crate) fn failed(text: impl std::fmt::Display) -> Response {
        Response::Traceback(format!("{text}\n"))
    }

    /// The answer, read by a client.
    pub(crate) fn read(pickle: &[u8]) -> Result<Response, PickleError> {
        let wrong = PickleError::Malformed("an answer is (kind, value)");
        let Value::Tuple(parts) = from_pickle(pickle)? else { return Err(wrong) };
        let Ok([Value::Str(kind), value]) = <[Value; 2]>::try_from(parts) else {
            return Err(wrong);
        };
        Ok(match (&*kind, value) {
            ("#RETURN", value) => Response::Return(value),
            ("#PROXY", value) => Response::Proxy(value),
            ("#ERROR", Value::Instance(class, parts)) => Response::Error(class, parts),
            ("#TRACEBACK", Value::Str(text)) => Response::Traceback(text),
            ("#UNSERIALIZABLE", Value::Str(text)) => Response::Unserializable(text),
            _ => return Err(wrong),
        })
    }

    /// The value comes back, for the case that it can't be delivered.
    pub(crate) fn write(self, out: &mut Vec<u8>) -> Result<Value, PickleError> {
        let (kind, value) = match self {
            Response::Return(value) => ("#RETURN", value),
            Response::Proxy(value) => ("#PROXY", value),
            Response::Error(class, parts) => ("#ERROR", Value::Instance(class, parts)),
            Response::Traceback(text) => ("#TRACEBACK", Value::Str(text)),
            Response::Unserializable(text) => ("#UNSERIALIZABLE", Value::Str(text)),
        };
        frame(out, |out| write_answer(out, kind, &value))?;
        Ok(value)
    }
}
