use crate::pickle::PickleError;
use crate::pickle::read::Reader;

/// Input: never beyond its end, and never more memory than there is input.
impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], PickleError> {
        let (head, rest) = self.input.split_at_checked(len).ok_or(PickleError::Truncated)?;
        self.input = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        Ok(self.take(N)?.try_into().expect("as long as was asked for"))
    }

    pub(super) fn byte(&mut self) -> Result<u8, PickleError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn word(&mut self) -> Result<usize, PickleError> {
        let len = u32::from_le_bytes(self.array()?);
        usize::try_from(len).map_err(|_| PickleError::Truncated)
    }

    pub(super) fn long_len(&mut self) -> Result<usize, PickleError> {
        usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| PickleError::Truncated)
    }

    pub(super) fn raw_line(&mut self) -> Result<&'a [u8], PickleError> {
        let end = self.input.iter().position(|b| *b == b'\n').ok_or(PickleError::Truncated)?;
        Ok(&self.take(end + 1)?[..end])
    }

    pub(super) fn line(&mut self) -> Result<&'a str, PickleError> {
        std::str::from_utf8(self.raw_line()?).map_err(|_| PickleError::Malformed("a line of text"))
    }

    pub(super) fn index(&mut self) -> Result<u32, PickleError> {
        self.line()?.parse().map_err(|_| PickleError::Malformed("a memo's number"))
    }
}
