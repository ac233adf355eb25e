use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::pickle::{PickleError, Value};

/// A Rust value of what came from Python, as [`to_value`](crate::to_value) would have written it.
///
/// Lists, tuples and sets all do where a sequence is wanted.
///
/// # Errors
///
/// When it is not of the wanted type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, PickleError> {
    T::deserialize(value)
}

impl IntoDeserializer<'_, PickleError> for Value {
    type Deserializer = Value;
    fn into_deserializer(self) -> Value {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = PickleError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PickleError> {
        match self {
            Value::None => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Int(number) => visitor.visit_i64(number),
            Value::BigInt(number) => match (number.to_i128(), number.to_u128()) {
                (Some(number), _) => match u64::try_from(number) {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_i128(number),
                },
                (None, Some(number)) => visitor.visit_u128(number),
                (None, None) => Err(de::Error::custom("an int beyond 128 bits")),
            },
            Value::Float(number) => visitor.visit_f64(number),
            Value::Str(text) => visitor.visit_string(text),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Dict(pairs) => {
                let mut pairs = MapDeserializer::new(pairs.into_iter());
                let value = visitor.visit_map(&mut pairs)?;
                pairs.end()?;
                Ok(value)
            }
            Value::Instance(class, _) => {
                let (module, name) = class.name();
                Err(de::Error::custom(format_args!("an object of Python's {module}.{name}")))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PickleError> {
        match self {
            Value::None => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PickleError> {
        visitor.visit_newtype_struct(self)
    }

    /// A str, or a dict of one entry.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PickleError> {
        match self {
            Value::Str(name) => visitor.visit_enum(name.into_deserializer()),
            Value::Dict(pairs) => visitor.visit_enum(de::value::MapAccessDeserializer::new(
                MapDeserializer::new(pairs.into_iter()),
            )),
            other => Err(de::Error::custom(format_args!("{other:?} for an enum"))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
