use std::ops::Deref;

use crate::pickle::read::Reader;
use crate::pickle::{Class, PickleError, Value};

/// A value under construction. Containers name their items by number, since a pickle may mention the
/// same list twice, go on filling it after that, or put it into itself.
pub(super) enum Node<'a> {
    Plain(Value),
    Str(&'a str),
    Bytes(&'a [u8]),
    List(Ids),
    Tuple(Ids),
    /// Key, value, key, value.
    Dict(Ids),
    Set(Ids),
    Class(Class),
    Instance(Class, Ids),
}

pub(super) type Id = u32;

/// What is in a container. Most are tuples of a few: those need no memory of their own.
#[derive(Clone)]
pub(super) enum Ids {
    Few([Id; 4], u8),
    Many(Vec<Id>),
}

impl Ids {
    pub(super) const NONE: Ids = Ids::Few([0; 4], 0);

    pub(super) fn of(ids: &[Id]) -> Ids {
        let mut few = [0; 4];
        let (Some(room), Ok(len)) = (few.get_mut(..ids.len()), u8::try_from(ids.len())) else {
            return Ids::Many(ids.to_vec());
        };
        room.copy_from_slice(ids);
        Ids::Few(few, len)
    }

    pub(super) fn extend(&mut self, more: &[Id]) {
        match self {
            Ids::Many(ids) => ids.extend(more),
            Ids::Few(..) if self.is_empty() => *self = Ids::of(more),
            Ids::Few(..) => *self = Ids::Many([self, more].concat()),
        }
    }
}

impl Deref for Ids {
    type Target = [Id];
    fn deref(&self) -> &[Id] {
        match self {
            Ids::Few(ids, len) => &ids[..usize::from(*len)],
            Ids::Many(ids) => ids,
        }
    }
}

/// What is left for the finished value.
pub(super) struct Budget {
    pub(super) values: usize,
    pub(super) text: usize,
}

impl Reader<'_> {
    /// The finished value. What is referred to twice is made twice, and counts twice: a pickle of a
    /// few bytes can stand for more values than any machine could hold. One that holds itself is
    /// deeper than any bound.
    pub(super) fn value(
        &self,
        id: Id,
        depth: usize,
        left: &mut Budget,
    ) -> Result<Value, PickleError> {
        let depth = depth.checked_sub(1).ok_or(PickleError::TooDeep)?;
        left.values = left.values.checked_sub(1).ok_or(PickleError::TooMany)?;
        let mut spend = |text: usize| {
            left.text = left.text.checked_sub(text).ok_or(PickleError::TooMany)?;
            Ok(())
        };
        let (kind, ids) = match self.node(id) {
            Node::Plain(value) => {
                spend(match value {
                    Value::Str(text) => text.len(),
                    Value::Bytes(bytes) => bytes.len(),
                    Value::BigInt(number) => number.to_le_bytes().len(),
                    _ => 0,
                })?;
                return Ok(value.clone());
            }
            Node::Str(text) => {
                spend(text.len())?;
                return Ok(Value::Str((*text).to_owned()));
            }
            Node::Bytes(bytes) => {
                spend(bytes.len())?;
                return Ok(Value::Bytes(bytes.to_vec()));
            }
            Node::Class(_) => return Err(PickleError::Malformed("a class for a value")),
            Node::List(ids) => (Kind::List, ids),
            Node::Tuple(ids) => (Kind::Tuple, ids),
            Node::Set(ids) => (Kind::Set, ids),
            Node::Dict(ids) => (Kind::Dict, ids),
            Node::Instance(class, ids) => (Kind::Instance(*class), ids),
        };
        if ids.len() > left.values {
            return Err(PickleError::TooMany);
        }
        let mut items = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            items.push(self.value(*id, depth, left)?);
        }
        Ok(match kind {
            Kind::List => Value::List(items),
            Kind::Tuple => Value::Tuple(items),
            Kind::Set => Value::Set(items),
            Kind::Instance(class) => Value::Instance(class, items),
            Kind::Dict if items.len() % 2 == 1 => {
                return Err(PickleError::Malformed("a key alone"));
            }
            Kind::Dict => {
                let mut items = items.into_iter();
                let pair = || Some((items.next()?, items.next()?));
                Value::Dict(std::iter::from_fn(pair).collect())
            }
        })
    }
}

enum Kind {
    List,
    Tuple,
    Set,
    Dict,
    Instance(Class),
}
