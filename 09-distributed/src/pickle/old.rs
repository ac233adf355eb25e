use crate::pickle::node::Node;
use crate::pickle::{PickleError, Value};

/// Bytes, as protocols 0 to 2 write them: a text with the same numbers.
pub(super) fn latin_1<'a>(text: &str) -> Result<Node<'a>, PickleError> {
    let bytes: Result<_, _> = text.chars().map(u8::try_from).collect();
    let bytes = bytes.map_err(|_| PickleError::Malformed("bytes as text"))?;
    Ok(Node::Plain(Value::Bytes(bytes)))
}

/// `raw-unicode-escape`: text of protocol 0 is latin-1, with `\u` and `\U` for the rest.
pub(super) fn unescaped(line: &[u8]) -> Result<String, PickleError> {
    let wrong = PickleError::Malformed("an escape in text");
    let line: String = line.iter().copied().map(char::from).collect();
    let mut parts = line.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let len = match part.as_bytes().first() {
            Some(b'u') => 5,
            Some(b'U') => 9,
            _ => {
                text.push('\\');
                text.push_str(part);
                continue;
            }
        };
        let code = part.get(1..len).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        text.push(code.and_then(char::from_u32).ok_or(wrong.clone())?);
        text.push_str(&part[len..]);
    }
    Ok(text)
}
