use std::ops::AddAssign;

/// Lines, words and bytes of a piece of a file, and what its neighbours need to know of it.
///
/// Unlike three numbers, two of these can be put together where a word was cut in two.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) lines: u64,
    pub(super) bytes: u64,
    /// Words that have ended in here, if none had begun before.
    words: u64,
    /// A blank is in here.
    separated: bool,
    /// Something visible comes before the first blank, if there is one.
    begins: bool,
    /// Something visible comes after the last blank, if there is one.
    open: bool,
}

impl Count {
    /// As `wc` in the C locale counts: a word is something visible between blanks; what is neither
    /// (a control character, a byte above 126) neither begins a word nor ends one.
    pub(super) fn of(bytes: &[u8]) -> Count {
        let mut count = Count { bytes: bytes.len() as u64, ..Count::default() };
        for byte in bytes {
            match byte {
                b' ' | b'\t'..=b'\r' => {
                    count.lines += u64::from(*byte == b'\n');
                    count.words += u64::from(count.open);
                    count.open = false;
                    count.separated = true;
                }
                b'!'..=b'~' => {
                    count.begins |= !count.separated;
                    count.open = true;
                }
                _ => {}
            }
        }
        count
    }

    pub(super) fn words(&self) -> u64 {
        self.words + u64::from(self.open)
    }

    /// Adds another file's: no word goes from one to the other.
    pub(super) fn add_file(&mut self, file: &Count) {
        self.lines += file.lines;
        self.words += file.words();
        self.bytes += file.bytes;
    }
}

impl AddAssign for Count {
    /// Adds what comes next in the same file.
    fn add_assign(&mut self, next: Count) {
        self.lines += next.lines;
        self.bytes += next.bytes;
        self.words += next.words + u64::from(self.open && next.separated && !next.begins);
        self.begins |= !self.separated && next.begins;
        self.open = next.open || (self.open && !next.separated);
        self.separated |= next.separated;
    }
}
