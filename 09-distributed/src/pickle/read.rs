use crate::pickle::node::{Budget, Id, Ids, Node};
use crate::pickle::old::{latin_1, unescaped};
use crate::pickle::value::BigInt;
use crate::pickle::{Class, DEPTH, PickleError, Value};

/// How many values one pickle may hold. Each takes some 50 bytes while it is read, and may have
/// been sent as a single byte: this bounds the memory, whatever the length of the frame.
pub(super) const NODES: usize = 1 << 20;

/// How many bytes of text one pickle may come to, each reference to the same text counted.
pub(super) const BYTES: usize = 64 << 20;

/// Reads a pickle, protocols 0 to 5, as data: nothing is looked up but the [`Class`] table, nothing
/// is called, and sizes, depth and references are bounded before memory is taken.
///
/// # Errors
///
/// For everything else, hostile or only cut short.
pub fn from_pickle(bytes: &[u8]) -> Result<Value, PickleError> {
    let mut reader = Reader { input: bytes, ..Reader::default() };
    let root = reader.run()?;
    reader.value(root, DEPTH, &mut Budget { values: NODES, text: BYTES })
}

#[derive(Default)]
pub(super) struct Reader<'a> {
    pub(super) input: &'a [u8],
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    /// By number. Python numbers without gaps.
    memo: Vec<Option<Id>>,
    /// What was copied while reading: bytes, and items at sixteen bytes each.
    copied: usize,
}

type Done = Result<(), PickleError>;

impl<'a> Reader<'a> {
    fn run(&mut self) -> Result<Id, PickleError> {
        loop {
            let opcode = self.byte()?;
            if opcode == b'.' {
                let root = self.pop()?;
                return if self.input.is_empty() { Ok(root) } else { Err(PickleError::Trailing) };
            }
            self.step(opcode)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Done {
        match opcode {
            0x80 => match self.byte()? {
                0..=5 => Ok(()),
                protocol => Err(PickleError::Protocol(protocol)),
            },
            // The length of what follows, of use to those who read from a file.
            0x95 => self.take(8).map(drop),
            b'(' => {
                // A mark takes memory as a value does.
                if self.marks.len() >= NODES {
                    return Err(PickleError::TooMany);
                }
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.since_mark().map(drop),
            b'2' => {
                let top = self.top()?;
                self.push_id(top)
            }

            b'N' => self.push(Node::Plain(Value::None)),
            0x88 => self.push(Node::Plain(Value::Bool(true))),
            0x89 => self.push(Node::Plain(Value::Bool(false))),
            b'K' => {
                let number = self.byte()?;
                self.int(number.into())
            }
            b'M' => {
                let number = u16::from_le_bytes(self.array()?);
                self.int(number.into())
            }
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.int(number.into())
            }
            0x8a => {
                let len = self.byte()?.into();
                self.long(len)
            }
            0x8b => {
                let len = self.word()?;
                self.long(len)
            }
            b'G' => {
                let number = f64::from_be_bytes(self.array()?);
                self.push(Node::Plain(Value::Float(number)))
            }
            b'I' => match self.line()? {
                "00" => self.push(Node::Plain(Value::Bool(false))),
                "01" => self.push(Node::Plain(Value::Bool(true))),
                digits => self.decimal(digits),
            },
            b'L' => {
                let digits = self.line()?;
                self.decimal(digits.strip_suffix('L').unwrap_or(digits))
            }
            b'F' => {
                let number = self.line()?.parse().map_err(|_| PickleError::Malformed("a float"))?;
                self.push(Node::Plain(Value::Float(number)))
            }

            0x8c => {
                let len = self.byte()?.into();
                self.str(len)
            }
            b'X' => {
                let len = self.word()?;
                self.str(len)
            }
            0x8d => {
                let len = self.long_len()?;
                self.str(len)
            }
            b'V' => {
                let text = unescaped(self.raw_line()?)?;
                self.push(Node::Plain(Value::Str(text)))
            }
            b'C' => {
                let len = self.byte()?.into();
                self.bytes(len)
            }
            b'B' => {
                let len = self.word()?;
                self.bytes(len)
            }
            0x8e | 0x96 => {
                let len = self.long_len()?;
                self.bytes(len)
            }

            b']' => self.push(Node::List(Ids::NONE)),
            b'}' => self.push(Node::Dict(Ids::NONE)),
            0x8f => self.push(Node::Set(Ids::NONE)),
            b')' => self.push(Node::Tuple(Ids::NONE)),
            b'l' => {
                let items = self.since_mark()?;
                self.push(Node::List(items))
            }
            b't' => {
                let items = self.since_mark()?;
                self.push(Node::Tuple(items))
            }
            b'd' => {
                let items = self.since_mark()?;
                self.push(Node::Dict(items))
            }
            0x91 => {
                let items = self.since_mark()?;
                self.push(Node::Set(items))
            }
            0x85..=0x87 => {
                let start = self.stack.len().checked_sub(usize::from(opcode) - 0x84);
                let start = start.filter(|start| *start >= self.floor());
                let items = self.since(start.ok_or(PickleError::Underflow)?);
                self.push(Node::Tuple(items))
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(opcode, &[item])
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend(opcode, &[key, value])
            }
            b'e' | b'u' | 0x90 => {
                let items = self.since_mark()?;
                self.extend(opcode, &items)
            }

            b'p' => {
                let index = self.index()?;
                self.remember(index)
            }
            b'q' => {
                let index = self.byte()?.into();
                self.remember(index)
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                self.remember(index)
            }
            0x94 => {
                let index = u32::try_from(self.memo.len()).map_err(|_| PickleError::TooMany)?;
                self.remember(index)
            }
            b'g' => {
                let index = self.index()?;
                self.recall(index)
            }
            b'h' => {
                let index = self.byte()?.into();
                self.recall(index)
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)
            }

            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.class(module, name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.node(module), self.node(name)) {
                    (Node::Str(module), Node::Str(name)) => self.class(module, name),
                    _ => Err(PickleError::Malformed("the name of a class")),
                }
            }
            b'R' | 0x81 => self.reduce(),
            b'b' => self.build(),
            _ => Err(PickleError::Opcode(opcode)),
        }
    }

    // The stack.

    pub(super) fn node(&self, id: Id) -> &Node<'a> {
        &self.nodes[id as usize]
    }

    fn push(&mut self, node: Node<'a>) -> Done {
        let id = Id::try_from(self.nodes.len()).map_err(|_| PickleError::TooMany)?;
        self.nodes.push(node);
        self.push_id(id)
    }

    fn push_id(&mut self, id: Id) -> Done {
        if self.nodes.len() > NODES || self.stack.len() >= NODES {
            return Err(PickleError::TooMany);
        }
        self.stack.push(id);
        Ok(())
    }

    /// Below a mark nothing may be taken.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, PickleError> {
        let above = self.stack.get(self.floor()..).unwrap_or_default();
        above.last().copied().ok_or(PickleError::Underflow)
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn since_mark(&mut self) -> Result<Ids, PickleError> {
        let mark = self.marks.pop().ok_or(PickleError::Underflow)?;
        Ok(self.since(mark))
    }

    fn since(&mut self, start: usize) -> Ids {
        let ids = Ids::of(&self.stack[start..]);
        self.stack.truncate(start);
        ids
    }

    // Values.

    fn int(&mut self, number: i64) -> Done {
        self.push(Node::Plain(Value::Int(number)))
    }

    fn long(&mut self, len: usize) -> Done {
        let bytes = self.take(len)?;
        self.push(Node::Plain(BigInt::value_of(bytes)))
    }

    /// Protocols 0 and 1 write numbers as text. Up to 128 bits: reading long ones takes time that
    /// grows with the square of their length.
    fn decimal(&mut self, digits: &str) -> Done {
        let number: i128 = digits.parse().map_err(|_| PickleError::Malformed("a number"))?;
        self.push(Node::Plain(number.into()))
    }

    fn str(&mut self, len: usize) -> Done {
        let text = std::str::from_utf8(self.take(len)?);
        self.push(Node::Str(text.map_err(|_| PickleError::Malformed("text that is not UTF-8"))?))
    }

    fn bytes(&mut self, len: usize) -> Done {
        let bytes = self.take(len)?;
        self.push(Node::Bytes(bytes))
    }

    fn extend(&mut self, opcode: u8, more: &[Id]) -> Done {
        let top = self.top()?;
        let items = match (opcode, &mut self.nodes[top as usize]) {
            (b'a' | b'e', Node::List(items)) | (0x90, Node::Set(items)) => items,
            (b's' | b'u', Node::Dict(items)) => items,
            _ => return Err(PickleError::Malformed("items for what can't have them")),
        };
        items.extend(more);
        Ok(())
    }

    fn remember(&mut self, index: u32) -> Done {
        let index = index as usize;
        if index >= NODES {
            return Err(PickleError::TooMany);
        }
        if index >= self.memo.len() {
            self.memo.resize(index + 1, None);
        }
        self.memo[index] = Some(self.top()?);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Done {
        let id = self.memo.get(index as usize).copied().flatten();
        self.push_id(id.ok_or(PickleError::Malformed("a memo that is not set"))?)
    }

    // What in Python would run code. Here it is looked up in the table, and never called.

    fn class(&mut self, module: &str, name: &str) -> Done {
        let class = Class::named(module, name).ok_or_else(|| {
            PickleError::Global(format!("{module}.{name}").chars().take(80).collect())
        })?;
        self.push(Node::Class(class))
    }

    fn reduce(&mut self) -> Done {
        let (arguments, class) = (self.pop()?, self.pop()?);
        let wrong = PickleError::Malformed("a call");
        let (Node::Class(class), Node::Tuple(parts)) = (self.node(class), self.node(arguments))
        else {
            return Err(wrong);
        };
        let (class, first) = (*class, parts.first().map(|first| self.node(*first)));
        let (made, cost) = match (class, first) {
            (Class::Set, Some(Node::List(items))) => (Node::Set(items.clone()), 16 * items.len()),
            (Class::Set, None) => (Node::Set(Ids::NONE), 0),
            (Class::Bytes, Some(Node::Bytes(bytes))) => (Node::Bytes(bytes), 0),
            (Class::Bytes, Some(Node::Plain(Value::Bytes(bytes)))) => {
                (Node::Plain(Value::Bytes(bytes.clone())), bytes.len())
            }
            (Class::Bytes, None) => (Node::Bytes(&[]), 0),
            (Class::Encode, Some(Node::Str(text))) => (latin_1(text)?, text.len()),
            (Class::Encode, Some(Node::Plain(Value::Str(text)))) => (latin_1(text)?, text.len()),
            (Class::Set | Class::Bytes | Class::Encode, _) => return Err(wrong),
            _ => (Node::Instance(class, parts.clone()), 16 * parts.len()),
        };
        self.charge(cost)?;
        self.push(made)
    }

    /// A token is made empty and gets its three parts as a state. Exceptions may have one: notes.
    fn build(&mut self) -> Done {
        let (state, instance) = (self.pop()?, self.top()?);
        match (self.node(instance), self.node(state)) {
            (Node::Instance(Class::Token, _), Node::Tuple(parts)) => {
                let parts = parts.clone();
                self.charge(16 * parts.len())?;
                self.nodes[instance as usize] = Node::Instance(Class::Token, parts);
                Ok(())
            }
            (Node::Instance(..), _) => Ok(()),
            _ => Err(PickleError::Malformed("a state for what has none")),
        }
    }

    /// What is copied by five bytes of a pickle may be large, and those five bytes sent again.
    fn charge(&mut self, cost: usize) -> Done {
        self.copied += cost;
        if self.copied > BYTES { Err(PickleError::TooMany) } else { Ok(()) }
    }
}
