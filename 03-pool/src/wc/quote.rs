/// A file's name as `wc` has it in a message: as it is if a shell takes it for one word, and quoted
/// for the shell otherwise.
pub(super) fn quote(name: &[u8]) -> String {
    let special = |byte: &u8| !byte.is_ascii_graphic() || b"!\"$&'()*:;<=>?[\\^`|".contains(byte);
    let leads = name.first().is_some_and(|first| b"#~".contains(first));
    if !name.is_empty() && !leads && !name.iter().any(special) && name != b"{" && name != b"}" {
        return String::from_utf8_lossy(name).into_owned();
    }
    let simple = |byte: &u8| (b' '..=b'~').contains(byte) && !b"\"$`\\!".contains(byte);
    if name.contains(&b'\'') && name.iter().all(simple) {
        return format!("\"{}\"", String::from_utf8_lossy(name));
    }
    let (mut quoted, mut escaping) = (String::from("'"), false);
    for &byte in name {
        let printable = (b' '..=b'~').contains(&byte);
        match (printable, escaping) {
            (false, false) => quoted.push_str("'$'"),
            (true, true) => quoted.push_str("''"),
            _ => {}
        }
        escaping = !printable;
        match byte {
            b'\'' => quoted.push_str("'\\''"),
            _ if printable => quoted.push(char::from(byte)),
            7..=13 => {
                quoted.push('\\');
                quoted.push(char::from(b"abtnvfr"[usize::from(byte - 7)]));
            }
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted.push('\'');
    quoted
}
