use crate::pickle::{Class, DEPTH, PickleError, Value};

/// Writes a value as Python reads it: protocol 4, which every Python since 3.4 knows.
///
/// # Errors
///
/// Only for what is nested deeper than a hundred levels, which the other side would refuse.
pub fn to_pickle(value: &Value) -> Result<Vec<u8>, PickleError> {
    let mut out = b"\x80\x04".to_vec();
    write(&mut out, value, DEPTH)?;
    out.push(b'.');
    Ok(out)
}

/// An answer: a tuple of its kind and what comes with it.
pub(crate) fn write_answer(
    out: &mut Vec<u8>,
    kind: &str,
    value: &Value,
) -> Result<(), PickleError> {
    out.extend(b"\x80\x04");
    sized(out, kind.as_bytes(), [0x8c, b'X', 0x8d]);
    write(out, value, DEPTH - 1)?;
    out.extend(b"\x86.");
    Ok(())
}

/// A request: a tuple of object, method, arguments, and no keywords.
pub(crate) fn write_request(
    out: &mut Vec<u8>,
    object: Option<&str>,
    method: &str,
    arguments: &[Value],
) -> Result<(), PickleError> {
    out.extend(b"\x80\x04(");
    match object {
        Some(object) => sized(out, object.as_bytes(), [0x8c, b'X', 0x8d]),
        None => out.push(b'N'),
    }
    sized(out, method.as_bytes(), [0x8c, b'X', 0x8d]);
    tuple(out, arguments, DEPTH - 1)?;
    out.extend(b"}t.");
    Ok(())
}

fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), PickleError> {
    let depth = depth.checked_sub(1).ok_or(PickleError::TooDeep)?;
    match value {
        Value::None => out.push(b'N'),
        Value::Bool(flag) => out.push(if *flag { 0x88 } else { 0x89 }),
        Value::Int(number) => int(out, *number),
        Value::BigInt(number) => long(out, number.to_le_bytes()),
        Value::Float(number) => {
            out.push(b'G');
            out.extend(number.to_be_bytes());
        }
        Value::Str(text) => sized(out, text.as_bytes(), [0x8c, b'X', 0x8d]),
        Value::Bytes(bytes) => sized(out, bytes, [b'C', b'B', 0x8e]),
        Value::List(items) => {
            out.push(b']');
            marked(out, items, b'e', depth)?;
        }
        Value::Set(items) => {
            out.push(0x8f);
            marked(out, items, 0x90, depth)?;
        }
        Value::Dict(pairs) => {
            out.extend(b"}(");
            for (key, value) in pairs {
                write(out, key, depth)?;
                write(out, value, depth)?;
            }
            out.push(b'u');
        }
        Value::Tuple(items) => tuple(out, items, depth)?,
        Value::Instance(class, parts) => {
            let (module, name) = class.name();
            sized(out, module.as_bytes(), [0x8c, b'X', 0x8d]);
            sized(out, name.as_bytes(), [0x8c, b'X', 0x8d]);
            out.push(0x93);
            if *class == Class::Token {
                // Made empty, then given its state.
                out.extend(b")\x81");
                tuple(out, parts, depth)?;
                out.push(b'b');
            } else {
                tuple(out, parts, depth)?;
                out.push(b'R');
            }
        }
    }
    Ok(())
}

fn marked(out: &mut Vec<u8>, items: &[Value], end: u8, depth: usize) -> Result<(), PickleError> {
    out.push(b'(');
    items.iter().try_for_each(|item| write(out, item, depth))?;
    out.push(end);
    Ok(())
}

fn tuple(out: &mut Vec<u8>, items: &[Value], depth: usize) -> Result<(), PickleError> {
    match items.len() {
        0 => out.push(b')'),
        few @ 1..=3 => {
            items.iter().try_for_each(|item| write(out, item, depth))?;
            out.push([0x85, 0x86, 0x87][few - 1]);
        }
        _ => marked(out, items, b't', depth)?,
    }
    Ok(())
}

fn int(out: &mut Vec<u8>, number: i64) {
    if let Ok(byte) = u8::try_from(number) {
        out.extend([b'K', byte]);
    } else if let Ok(short) = u16::try_from(number) {
        out.push(b'M');
        out.extend(short.to_le_bytes());
    } else if let Ok(word) = i32::try_from(number) {
        out.push(b'J');
        out.extend(word.to_le_bytes());
    } else {
        long(out, &number.to_le_bytes());
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each size is compared first")]
fn long(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() < 256 {
        out.extend([0x8a, bytes.len() as u8]);
    } else {
        out.push(0x8b);
        out.extend((bytes.len() as u32).to_le_bytes());
    }
    out.extend(bytes);
}

/// A string or bytes, with the shortest of three opcodes for its length.
#[expect(clippy::cast_possible_truncation, reason = "each size is compared first")]
fn sized(out: &mut Vec<u8>, bytes: &[u8], [short, word, long]: [u8; 3]) {
    let len = bytes.len();
    if len < 1 << 8 {
        out.extend([short, len as u8]);
    } else if len < 1 << 32 {
        out.push(word);
        out.extend((len as u32).to_le_bytes());
    } else {
        out.push(long);
        out.extend((len as u64).to_le_bytes());
    }
    out.extend(bytes);
}
