use crate::manager::message::{Request, Response};
use crate::manager::registry::Registry;
use crate::pickle::Value;

/// What the server itself is asked, on a connection made for this one question.
pub(crate) enum Control {
    /// This is the answer, and all.
    Answer(Response),
    /// From here on the connection calls methods of objects. It calls itself so.
    Serve(String),
    /// The server is to end.
    Shutdown,
}

pub(crate) fn control(registry: &mut Registry, request: Request) -> Control {
    let Request { object: _, method, positional, keywords } = request;
    let mut given = positional.into_iter();
    let (first, more) = (given.next(), given.len() + keywords.len());
    let answer = match (&*method, first, more) {
        ("accept_connection", Some(Value::Str(name)), 0) => return Control::Serve(name),
        ("shutdown", None, 0) => return Control::Shutdown,
        ("dummy", None, 0) => Response::Return(Value::None),
        ("number_of_objects", None, 0) => registry.referred(),
        ("debug_info", None, 0) => Response::Return(Value::Str(registry.description())),
        ("create", Some(Value::Str(name)), 0) => registry.create(&name),
        ("get_methods", Some(token), 0) => registry.methods(&token),
        ("incref", Some(Value::Str(id)), 0) => registry.increment(&id),
        ("decref", Some(Value::Str(id)), 0) => registry.decrement(&id),
        (
            "accept_connection" | "shutdown" | "dummy" | "number_of_objects" | "debug_info"
            | "create" | "get_methods" | "incref" | "decref",
            ..,
        ) => Response::failed(format_args!(
            "TypeError: {method}() was given other arguments than it takes"
        )),
        _ => Response::failed(format_args!("AssertionError: {method:?} unrecognized")),
    };
    Control::Answer(answer)
}
