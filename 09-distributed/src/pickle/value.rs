use std::fmt;

/// What travels between the two languages: Python's plain values, and nothing that acts.
///
/// Unlike Python's own reader of the format, ours gives data and only data: no class is looked up,
/// nothing is called. Order is kept as it was sent, in sets and dicts too.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `None`
    #[default]
    None,
    /// `bool`
    Bool(bool),
    /// An `int` of up to 64 bits.
    Int(i64),
    /// Any other `int`.
    BigInt(BigInt),
    /// `float`
    Float(f64),
    /// `str`
    Str(String),
    /// `bytes`, and `bytearray`
    Bytes(Vec<u8>),
    /// `list`
    List(Vec<Value>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `dict`, as pairs
    Dict(Vec<(Value, Value)>),
    /// `set`, and `frozenset`
    Set(Vec<Value>),
    /// One of the few objects that the protocol itself sends, with what it was made of.
    Instance(Class, Vec<Value>),
}

impl Value {
    /// More bytes than its pickle has: each part with the longest frame that the format has for one.
    pub(crate) fn pickled_at_most(&self) -> usize {
        const PART: usize = 32;
        let sum = |parts: &[Value]| parts.iter().map(Value::pickled_at_most).sum::<usize>();
        PART + match self {
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
            Value::BigInt(number) => number.0.len(),
            Value::Str(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(parts) | Value::Tuple(parts) | Value::Set(parts) => sum(parts),
            Value::Dict(pairs) => pairs
                .iter()
                .map(|(key, value)| key.pickled_at_most() + value.pickled_at_most())
                .sum(),
            // Not what anybody puts, and not worth a rule: a name may be long.
            Value::Instance(_, parts) => 1000 + sum(parts),
        }
    }
}

/// The table of what a pickle may name. What is not in it is refused by its name, and not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `queue.Empty`
    Empty,
    /// `queue.Full`
    Full,
    /// `multiprocessing.managers.Token`: typeid, address, id.
    Token,
    /// A built-in exception.
    Exception(&'static str),
    /// `set`, `frozenset`: older protocols call them with a list.
    Set,
    /// `bytearray` and `bytes`, called with bytes or nothing.
    Bytes,
    /// `_codecs.encode`: older protocols make bytes of a latin-1 string with it.
    Encode,
}

const EXCEPTIONS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "ConnectionError",
    "EOFError",
    "Exception",
    "IndexError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "RecursionError",
    "RuntimeError",
    "TimeoutError",
    "TypeError",
    "ValueError",
    "ZeroDivisionError",
];

impl Class {
    pub(crate) fn named(module: &str, name: &str) -> Option<Class> {
        Some(match (module, name) {
            ("queue" | "_queue", "Empty") => Class::Empty,
            ("queue" | "_queue", "Full") => Class::Full,
            ("multiprocessing.managers", "Token") => Class::Token,
            ("builtins" | "__builtin__", "set" | "frozenset") => Class::Set,
            ("builtins" | "__builtin__", "bytearray" | "bytes") => Class::Bytes,
            ("_codecs", "encode") => Class::Encode,
            ("builtins" | "exceptions", name) => {
                Class::Exception(EXCEPTIONS.iter().find(|known| **known == name)?)
            }
            _ => return None,
        })
    }

    /// Module and name, as Python finds it.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            Class::Empty => ("queue", "Empty"),
            Class::Full => ("queue", "Full"),
            Class::Token => ("multiprocessing.managers", "Token"),
            Class::Exception(name) => ("builtins", name),
            Class::Set => ("builtins", "set"),
            Class::Bytes => ("builtins", "bytes"),
            Class::Encode => ("_codecs", "encode"),
        }
    }
}

/// A whole number beyond 64 bits: two's complement, the lowest byte first, as short as it can be.
///
/// Only carried, not counted with. What fits into an `i128` or `u128` converts.
#[derive(Clone, PartialEq, Eq)]
pub struct BigInt(Vec<u8>);

impl BigInt {
    /// The bytes: two's complement, lowest first.
    pub fn to_le_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Of such bytes, however many.
    pub(crate) fn value_of(bytes: &[u8]) -> Value {
        let sign = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
        let mut len = bytes.len();
        // A last byte that only repeats the sign of the one before says nothing.
        while len > 0 && bytes[len - 1] == sign && (len == 1 || (bytes[len - 2] ^ sign) < 0x80) {
            len -= 1;
        }
        if len <= 8 {
            let mut word = [sign; 8];
            word[..len].copy_from_slice(&bytes[..len]);
            return Value::Int(i64::from_le_bytes(word));
        }
        Value::BigInt(BigInt(bytes[..len].to_vec()))
    }

    /// If it fits.
    pub fn to_i128(&self) -> Option<i128> {
        let sign = if self.is_negative() { 0xff } else { 0 };
        let mut word = [sign; 16];
        word.get_mut(..self.0.len())?.copy_from_slice(&self.0);
        Some(i128::from_le_bytes(word))
    }

    /// If it fits.
    pub fn to_u128(&self) -> Option<u128> {
        let magnitude = if self.0.len() == 17 { self.0.strip_suffix(&[0])? } else { &self.0 };
        let mut word = [0; 16];
        word.get_mut(..magnitude.len())?.copy_from_slice(magnitude);
        (!self.is_negative()).then(|| u128::from_le_bytes(word))
    }

    fn is_negative(&self) -> bool {
        self.0.last().is_some_and(|last| *last >= 0x80)
    }
}

/// Hexadecimal.
impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "…f" } else { "" };
        write!(f, "0x{sign}")?;
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<i128> for Value {
    fn from(number: i128) -> Value {
        BigInt::value_of(&number.to_le_bytes())
    }
}

impl From<u128> for Value {
    fn from(number: u128) -> Value {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&number.to_le_bytes());
        BigInt::value_of(&bytes)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle::to_pickle;

    #[test]
    fn no_pickle_is_longer_than_is_said_beforehand() {
        let text = || Value::from("no more than these");
        let parts = || {
            vec![text(), Value::None, Value::Bool(true), Value::Int(i64::MIN), Value::Float(0.1)]
        };
        let pairs = parts().into_iter().zip(parts()).collect();
        let values = [
            Value::List(Vec::new()),
            Value::List(vec![Value::List(parts()); 3000]),
            Value::Tuple(parts()),
            Value::Set(parts()),
            Value::Dict(pairs),
            Value::Bytes(vec![0; 70_000]),
            Value::BigInt(BigInt(vec![1; 300])),
            Value::Instance(Class::Exception("ValueError"), vec![text()]),
        ];
        for value in values {
            let pickle = to_pickle(&value).expect("it is a value");
            assert!(pickle.len() <= value.pickled_at_most(), "{} {value:?}", pickle.len());
        }
    }
}
