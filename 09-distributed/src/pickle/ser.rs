use serde::ser::{self, Serialize};

use crate::pickle::{PickleError, Value};

/// What serde makes of a Rust value, in Python's terms.
///
/// A struct becomes a dict with its fields' names, a tuple a tuple, a sequence a list, `None` and `()`
/// become `None`. A variant without content is a str, one with content a dict of one entry, from
/// its name to the content. `Vec<u8>` is a list of numbers, unless `serde_bytes` says bytes.
///
/// # Errors
///
/// What the type's own `Serialize` gives as an error.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, PickleError> {
    value.serialize(Writer)
}

struct Writer;

/// The parts of a value so far, and what they are parts of.
struct Parts {
    variant: Option<&'static str>,
    tuple: bool,
    items: Vec<Value>,
    key: Option<Value>,
    pairs: Vec<(Value, Value)>,
}

impl Parts {
    fn new(variant: Option<&'static str>, tuple: bool) -> Result<Parts, PickleError> {
        Ok(Parts { variant, tuple, items: Vec::new(), key: None, pairs: Vec::new() })
    }

    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), PickleError> {
        self.items.push(item.serialize(Writer)?);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), PickleError> {
        self.pairs.push((name.into(), value.serialize(Writer)?));
        Ok(())
    }

    fn done(self, dict: bool) -> Result<Value, PickleError> {
        let content = match (dict, self.tuple) {
            (true, _) => Value::Dict(self.pairs),
            (false, true) => Value::Tuple(self.items),
            (false, false) => Value::List(self.items),
        };
        Ok(variant(self.variant, content))
    }
}

fn variant(name: Option<&'static str>, content: Value) -> Value {
    match name {
        Some(name) => Value::Dict(vec![(name.into(), content)]),
        None => content,
    }
}

macro_rules! plain {
    ($($method:ident: $from:ty => $make:expr;)*) => {
        $(fn $method(self, value: $from) -> Result<Value, PickleError> { Ok($make(value)) })*
    };
}

type Name = &'static str;

impl ser::Serializer for Writer {
    type Ok = Value;
    type Error = PickleError;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    plain! {
        serialize_bool: bool => Value::Bool;
        serialize_i8: i8 => |n| Value::Int(i64::from(n));
        serialize_i16: i16 => |n| Value::Int(i64::from(n));
        serialize_i32: i32 => |n| Value::Int(i64::from(n));
        serialize_i64: i64 => Value::Int;
        serialize_i128: i128 => Value::from;
        serialize_u8: u8 => |n| Value::Int(i64::from(n));
        serialize_u16: u16 => |n| Value::Int(i64::from(n));
        serialize_u32: u32 => |n| Value::Int(i64::from(n));
        serialize_u64: u64 => |n| Value::from(i128::from(n));
        serialize_u128: u128 => Value::from;
        serialize_f32: f32 => |x| Value::Float(f64::from(x));
        serialize_f64: f64 => Value::Float;
        serialize_char: char => |c| Value::Str(String::from(c));
        serialize_str: &str => Value::from;
        serialize_bytes: &[u8] => |b| Value::Bytes(<[u8]>::to_vec(b));
        serialize_unit_struct: Name => |_| Value::None;
    }

    fn serialize_none(self) -> Result<Value, PickleError> {
        Ok(Value::None)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, PickleError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, PickleError> {
        Ok(Value::None)
    }
    fn serialize_unit_variant(self, _: Name, _: u32, name: Name) -> Result<Value, PickleError> {
        Ok(name.into())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: Name,
        value: &T,
    ) -> Result<Value, PickleError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: Name,
        _: u32,
        name: Name,
        value: &T,
    ) -> Result<Value, PickleError> {
        Ok(variant(Some(name), value.serialize(Writer)?))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, PickleError> {
        Parts::new(None, false)
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts, PickleError> {
        Parts::new(None, true)
    }
    fn serialize_tuple_struct(self, _: Name, _: usize) -> Result<Parts, PickleError> {
        Parts::new(None, true)
    }
    fn serialize_tuple_variant(
        self,
        _: Name,
        _: u32,
        name: Name,
        _: usize,
    ) -> Result<Parts, PickleError> {
        Parts::new(Some(name), true)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts, PickleError> {
        Parts::new(None, false)
    }
    fn serialize_struct(self, _: Name, _: usize) -> Result<Parts, PickleError> {
        Parts::new(None, false)
    }
    fn serialize_struct_variant(
        self,
        _: Name,
        _: u32,
        name: Name,
        _: usize,
    ) -> Result<Parts, PickleError> {
        Parts::new(Some(name), false)
    }
}

macro_rules! parts {
    ($($kind:ident $method:ident)*) => {$(
        impl ser::$kind for Parts {
            type Ok = Value;
            type Error = PickleError;
            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), PickleError> {
                self.item(item)
            }
            fn end(self) -> Result<Value, PickleError> {
                self.done(false)
            }
        }
    )*};
    (named $($kind:ident)*) => {$(
        impl ser::$kind for Parts {
            type Ok = Value;
            type Error = PickleError;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: Name,
                value: &T,
            ) -> Result<(), PickleError> {
                self.field(name, value)
            }
            fn end(self) -> Result<Value, PickleError> {
                self.done(true)
            }
        }
    )*};
}

parts! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

parts! { named SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Parts {
    type Ok = Value;
    type Error = PickleError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), PickleError> {
        self.key = Some(key.serialize(Writer)?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PickleError> {
        let key = self.key.take().ok_or_else(|| ser::Error::custom("a map's value has no key"))?;
        self.pairs.push((key, value.serialize(Writer)?));
        Ok(())
    }
    fn end(self) -> Result<Value, PickleError> {
        self.done(true)
    }
}
