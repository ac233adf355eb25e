use std::collections::{BTreeMap, VecDeque};

use crate::manager::message::Response;
use crate::pickle::{Class, Value};
use crate::queue::{Kind, Queue, QueueConfig};
use crate::wire::key::random;

/// Clients that die leave their references behind, as they do with Python's server: this bounds what
/// that can come to.
const OBJECTS: usize = 1024;

/// The names that clients may ask for, and the objects that they got.
#[derive(Debug)]
pub(crate) struct Registry {
    names: BTreeMap<String, Maker>,
    objects: BTreeMap<String, Object>,
    /// The last object's number. The first one is taken at random, so that an id means nothing to the next server on
    /// this address, and a client that comes back knows that it is another one.
    made: u64,
}

impl Default for Registry {
    fn default() -> Registry {
        let made = u32::from_ne_bytes(random().unwrap_or_default()).into();
        Registry { names: BTreeMap::new(), objects: BTreeMap::new(), made }
    }
}

#[derive(Debug, Clone)]
enum Maker {
    /// The same object for everybody: `callable=lambda: queue`.
    Shared(String),
    /// A new one for each call: `callable=Queue`.
    Fresh(QueueConfig),
}

/// A queue, and the connections that wait for something in it, first come first served.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) queue: Queue,
    exposed: Vec<&'static str>,
    references: u64,
    /// Kept without references: the server itself has it.
    kept: bool,
    waiting: [VecDeque<u64>; 5],
}

impl Object {
    pub(crate) fn exposes(&self, method: &str) -> bool {
        self.exposed.contains(&method)
    }

    /// What Python's `str` of a proxy shows.
    pub(crate) fn description(&self) -> String {
        let waiting: usize = self.waiting.iter().map(VecDeque::len).sum();
        format!("<queue of {}, {waiting} clients waiting>", self.queue)
    }

    pub(crate) fn waiting(&mut self, kind: Kind) -> &mut VecDeque<u64> {
        &mut self.waiting[kind as usize]
    }
}

impl Registry {
    pub(crate) fn share(&mut self, name: &str, config: QueueConfig) {
        let id = self.make(config, true);
        self.names.insert(name.to_owned(), Maker::Shared(id));
    }

    pub(crate) fn fresh(&mut self, name: &str, config: QueueConfig) {
        self.names.insert(name.to_owned(), Maker::Fresh(config));
    }

    fn make(&mut self, config: QueueConfig, kept: bool) -> String {
        self.made += 1;
        let id = format!("{:x}", self.made);
        let exposed = config.exposed.clone();
        let (queue, waiting) = (Queue::new(config), Default::default());
        self.objects.insert(id.clone(), Object { queue, exposed, references: 0, kept, waiting });
        id
    }

    /// The object that is shared under a name.
    pub(crate) fn shared(&self, name: &str) -> Option<String> {
        match self.names.get(name) {
            Some(Maker::Shared(id)) => Some(id.clone()),
            _ => None,
        }
    }

    pub(crate) fn object(&mut self, id: &str) -> Option<&mut Object> {
        self.objects.get_mut(id)
    }

    /// `create`: id and exposed methods, one reference held by the caller.
    pub(crate) fn create(&mut self, name: &str) -> Response {
        let id = match self.names.get(name).cloned() {
            Some(Maker::Shared(id)) => id,
            Some(Maker::Fresh(_)) if self.objects.len() >= OBJECTS => {
                return Response::failed(format_args!("there are {OBJECTS} objects already"));
            }
            Some(Maker::Fresh(config)) => self.make(config, false),
            None => {
                return Response::failed(format_args!(
                    "KeyError: nothing is registered as {name:?}"
                ));
            }
        };
        let Some(object) = self.objects.get_mut(&id) else { return no_object(&id) };
        object.references += 1;
        let exposed = object.exposed.iter().map(|method| Value::from(*method)).collect();
        Response::Return(Value::Tuple(vec![Value::Str(id), Value::Tuple(exposed)]))
    }

    /// `get_methods`, of a token or of an id.
    pub(crate) fn methods(&mut self, of: &Value) -> Response {
        let id = match of {
            Value::Instance(Class::Token, parts) => parts.last(),
            other => Some(other),
        };
        let Some(Value::Str(id)) = id else { return Response::failed("TypeError: no token") };
        let Some(object) = self.objects.get(id) else { return no_object(id) };
        let methods = object.exposed.iter().map(|method| Value::from(*method)).collect();
        Response::Return(Value::Tuple(methods))
    }

    pub(crate) fn increment(&mut self, id: &str) -> Response {
        let Some(object) = self.objects.get_mut(id) else { return no_object(id) };
        object.references += 1;
        Response::Return(Value::None)
    }

    pub(crate) fn decrement(&mut self, id: &str) -> Response {
        let Some(object) = self.objects.get_mut(id) else { return no_object(id) };
        let Some(left) = object.references.checked_sub(1) else {
            return Response::failed(format_args!("AssertionError: {id} has no reference"));
        };
        object.references = left;
        if left == 0 && !object.kept && object.waiting.iter().all(VecDeque::is_empty) {
            self.objects.remove(id);
        }
        Response::Return(Value::None)
    }

    /// `number_of_objects`: those that somebody refers to.
    pub(crate) fn referred(&self) -> Response {
        let count = self.objects.values().filter(|object| object.references > 0).count();
        Response::Return(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// `debug_info`
    pub(crate) fn description(&self) -> String {
        let mut ids: Vec<_> = self.objects.iter().collect();
        ids.sort_by_key(|(id, _)| (id.len(), *id));
        let line = |(id, it): (&String, &Object)| {
            format!("  {id}:       refcount={}\n    {}", it.references, it.description())
        };
        ids.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn no_object(id: &str) -> Response {
    let id: String = id.chars().take(40).collect();
    Response::failed(format_args!("KeyError: no object has the id {id:?}"))
}
