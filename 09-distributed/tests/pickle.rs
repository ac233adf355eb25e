//! Values on their way between the two languages, and what is no value.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use distributed::{PickleError, Value, from_pickle, from_value, to_pickle, to_value};
use judge::{Judge, Limit};
use serde::{Deserialize, Serialize};
use support::{Dice, hex, script, stress, unhex, with_two_pythons};

/// Those of `tests/python/values.py`, in its order.
fn values() -> Vec<Value> {
    let int = Value::Int;
    let ints = |numbers: &[i64]| numbers.iter().copied().map(Value::Int).collect::<Vec<_>>();
    let mut values = vec![Value::None, true.into(), false.into()];
    values.extend(ints(&[0, 255, 65535, -1, i32::MAX.into(), i32::MIN.into(), i64::MAX, i64::MIN]));
    values.extend([
        (1_i128 << 64).into(),
        (-1_i128 << 100).into(),
        Value::Float(1.5),
        Value::Float(f64::NEG_INFINITY),
        "".into(),
        "häuser 🏠 \\ \n".into(),
        "x".repeat(300).into(),
        Value::Bytes(vec![]),
        Value::Bytes(vec![0, 0x80, 0xff]),
        Value::Bytes(vec![b'y'; 300]),
        Value::List(vec![]),
        Value::List(vec![int(1), Value::List(vec![int(2)])]),
        Value::Tuple(vec![]),
        Value::Tuple(ints(&[1])),
        Value::Tuple(ints(&[1, 2])),
        Value::Tuple(ints(&[1, 2, 3])),
        Value::Tuple(ints(&[1, 2, 3, 4])),
        Value::Dict(vec![]),
        Value::Dict(vec![("a".into(), int(1)), (int(2), Value::List(vec![Value::None]))]),
        Value::Set(vec![]),
        Value::Set(ints(&[7])),
        Value::Set(ints(&[8])),
        Value::List(vec!["shared".into(), "shared".into()]),
        Value::Bytes(b"ab".to_vec()),
    ]);
    values
}

#[test]
fn every_protocol_of_every_python_is_read() {
    with_two_pythons(|python| {
        let report = script(python, "values.py").run();
        report.assert_clean();
        let (text, values) = (report.stdout(), values());
        assert_eq!(text.lines().count(), values.len());
        for (line, value) in text.lines().zip(&values) {
            for (protocol, pickle) in line.split(' ').enumerate() {
                let read = from_pickle(&unhex(pickle));
                assert_eq!(read.as_ref(), Ok(value), "in protocol {protocol}: {pickle}");
            }
        }
    });
}

#[test]
fn every_python_reads_what_is_written() {
    let lines = values().into_iter().map(|value| hex(&to_pickle(&value).expect("shallow")) + "\n");
    let lines: String = lines.collect();
    with_two_pythons(|python| {
        let report = script(python, "values.py").arg("check").stdin(lines.clone()).run();
        report.assert_clean();
    });
}

#[test]
fn what_is_written_reads_back_as_itself() {
    let mut values = values();
    values.push(Value::Tuple(values.clone()));
    for bits in 0..128 {
        let number = 1_i128 << bits;
        values.extend([number.into(), number.wrapping_sub(1).into(), number.wrapping_neg().into()]);
    }
    values.push(u128::MAX.into());
    for value in values {
        let pickle = to_pickle(&value).expect("shallow");
        assert_eq!(from_pickle(&pickle), Ok(value));
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything {
    unit: (),
    flag: bool,
    small: i8,
    large: u64,
    huge: (i128, u128),
    float: f32,
    letter: char,
    text: String,
    list: Vec<u16>,
    bytes: serde_bytes::ByteBuf,
    none: Option<u8>,
    some: Option<u8>,
    map: BTreeMap<String, i32>,
    set: BTreeSet<i32>,
    variants: Vec<Variant>,
    wrapped: Wrapped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Variant {
    Unit,
    One(i32),
    Two(i32, String),
    Named { a: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wrapped(u8);

#[test]
fn what_serde_makes_of_rust_types_comes_back() {
    let value = Everything {
        unit: (),
        flag: true,
        small: -1,
        large: u64::MAX,
        huge: (i128::MIN, u128::MAX),
        float: 0.5,
        letter: 'ß',
        text: "text".into(),
        list: vec![1, 2],
        bytes: vec![1, 2].into(),
        none: None,
        some: Some(3),
        map: [("a".to_owned(), 1)].into(),
        set: [1, 2].into(),
        variants: vec![
            Variant::Unit,
            Variant::One(1),
            Variant::Two(2, "two".into()),
            Variant::Named { a: 3 },
        ],
        wrapped: Wrapped(4),
    };
    let there = to_pickle(&to_value(&value).expect("plain types")).expect("shallow");
    let back = from_pickle(&there).expect("our own");
    assert_eq!(from_value(back), Ok(value));
    // And a type that does not fit says so.
    let wrong = from_value::<u8>(Value::Str("text".into()));
    assert!(
        matches!(wrong, Err(PickleError::Type(text)) if text.contains("text") && text.contains("u8"))
    );
    assert!(from_value::<u8>(Value::Int(256)).is_err());
}

/// What somebody could send who wants to do harm, and what becomes of it.
#[test]
fn a_hostile_pickle_is_an_error() {
    let global = |name: &str| PickleError::Global(name.to_owned());
    // The classic: runs a command wherever it is unpickled.
    assert_eq!(from_pickle(b"cos\nsystem\n(S'id'\ntR."), Err(global("os.system")));
    let named = b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x031+1\x85R.";
    assert_eq!(from_pickle(named), Err(global("builtins.eval")));
    // Attributes of what is allowed are not reached either.
    let dotted = b"\x80\x04\x8c\x08builtins\x8c\x13Exception.__class__\x93.";
    assert_eq!(from_pickle(dotted), Err(global("builtins.Exception.__class__")));
    assert!(matches!(from_pickle(b"cbuiltins\nset\n."), Err(PickleError::Malformed(_))));
    // Other ways to a class or to an object from elsewhere.
    for opcode in *b"ioPQ\x82\x83\x84\x92\x97\x98ST" {
        assert_eq!(from_pickle(&[b'(', opcode]), Err(PickleError::Opcode(opcode)));
    }
    // A list in itself, and one as deep as its pickle is long.
    assert_eq!(from_pickle(b"]q\x00h\x00a."), Err(PickleError::TooDeep));
    let deep = [&[b']'; 100_000][..], &[b'a'; 99_999], b"."].concat();
    assert_eq!(from_pickle(&deep), Err(PickleError::TooDeep));
    // Sizes that are only claimed.
    assert_eq!(from_pickle(b"X\xff\xff\xff\x7fabc."), Err(PickleError::Truncated));
    assert_eq!(
        from_pickle(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc."),
        Err(PickleError::Truncated)
    );
    assert_eq!(from_pickle(b"\x8b\xff\xff\xff\xff."), Err(PickleError::Truncated));
    // Taking what is not there, or what lies below a mark.
    for short in
        [&b"a."[..], b"t.", b"\x85.", b"K\x01\x86.", b"K\x01(0.", b"K\x01(2.", b"(q\x00.", b"."]
    {
        assert_eq!(from_pickle(short), Err(PickleError::Underflow), "{short:?}");
    }
    assert!(matches!(from_pickle(b"h\x07."), Err(PickleError::Malformed(_))));
    assert!(matches!(from_pickle(b"}K\x01(K\x01u."), Err(PickleError::Malformed(_))));
    assert!(matches!(from_pickle(b"}(K\x01u."), Err(PickleError::Malformed(_))));
    assert_eq!(from_pickle(b"N.N."), Err(PickleError::Trailing));
    assert_eq!(from_pickle(b"\x80\x06N."), Err(PickleError::Protocol(6)));
    assert_eq!(from_pickle(b""), Err(PickleError::Truncated));
}

judge::scenario! {
    /// Small pickles that stand for much, and long ones: whatever they are, in 400 MB of address space.
    fn bombs() {
        // Each list holds the one before it twice: 2 to the 60 values.
        let mut laughs = b"]q\x00".to_vec();
        for level in 0..60 {
            laughs.extend([b']', b'h', level, b'a', b'h', level, b'a', b'q', level + 1]);
        }
        laughs.push(b'.');
        // A long text, mentioned often.
        let mut text = b"B\x00\x00\x10\x00".to_vec();
        text.resize(5 + (1 << 20), b'x');
        text.extend(b"q\x00](");
        text.extend(b"h\x00".repeat(1 << 16));
        text.extend(b"e.");
        // A large list, made a set often.
        let mut sets = b"](".to_vec();
        sets.extend(vec![b'N'; 1 << 18]);
        sets.extend(b"e\x85q\x00cbuiltins\nset\nq\x01");
        sets.extend(b"h\x01h\x00R0".repeat(1 << 16));
        sets.extend(b".");
        // And a large tuple the parts of an exception.
        let mut errors = b"(".to_vec();
        errors.extend(vec![b'N'; 1 << 18]);
        errors.extend(b"tq\x00cbuiltins\nException\nq\x01");
        errors.extend(b"h\x01h\x00R0".repeat(1 << 16));
        errors.extend(b".");
        let many = |opcode: u8| [vec![opcode; 2 << 20], b".".to_vec()].concat();
        let memos = [&b"N"[..], &(0..=1_u32 << 20).flat_map(|index| {
            let [a, b, c, d] = index.to_le_bytes();
            [b'r', a, b, c, d]
        }).collect::<Vec<_>>()].concat();
        for (bomb, name) in [
            (laughs, "laughs"),
            (text, "text"),
            (sets, "sets"),
            (errors, "errors"),
            (many(b']'), "lists"),
            (many(b'('), "marks"),
            (many(b'N'), "nones"),
            ([&b"N"[..], &many(b'2')].concat(), "copies"),
            (memos, "memos"),
        ] {
            println!("{name}");
            assert_eq!(from_pickle(&bomb), Err(PickleError::TooMany));
        }
        println!("none went off");
    }
}

#[test]
fn a_bomb_is_refused_before_it_takes_memory() {
    let report = Judge::scenario(&bombs).limit(Limit::AddressSpace(400 << 20)).run();
    report.assert_clean();
    assert!(report.stdout().ends_with("none went off\n"), "{report}");
}

/// A second of pickles that are nearly right: the same seed, the same pickles. `STRESS=60` for a minute.
#[test]
fn no_pickle_whatever_its_bytes_is_more_than_an_error() {
    let mut seeds: Vec<Vec<u8>> = values().iter().map(|v| to_pickle(v).expect("shallow")).collect();
    seeds.push(to_pickle(&Value::Tuple(values())).expect("shallow"));
    seeds.push(b"(lp0\nI1\naVtext\np1\naL5L\na(dp2\ng1\nF1.5\nsa.".to_vec());
    seeds.push(b"\x80\x02c__builtin__\nset\nq\x00]q\x01(K\x01K\x02e\x85q\x02Rq\x03.".to_vec());
    seeds.push(
        b"\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbfX\x06\x00\x00\x00latin1\x86R."
            .to_vec(),
    );
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (end, mut tried, mut sound) = (Instant::now() + stress(), 0_u64, 0_u64);
    while Instant::now() < end {
        let mut pickle = dice.pick(&seeds).clone();
        for _ in 0..=dice.below(4) {
            dice.spoil(&mut pickle);
        }
        tried += 1;
        if let Ok(value) = from_pickle(&pickle) {
            sound += 1;
            // What was taken is data: it can be written, and reads back (NaN is not equal to itself).
            let written = to_pickle(&value).expect("read within the same depth");
            let again = from_pickle(&written).expect("our own");
            assert_eq!(to_pickle(&again).expect("the same"), written, "{pickle:?}");
        }
    }
    println!("{tried} pickles, of which {sound} were sound");
    assert!(tried > 1000 && sound > 0 && sound < tried);
}
