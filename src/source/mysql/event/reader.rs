//! Reading an event's bytes from front to back; numbers are little-endian.

use crate::source::mysql::SourceError;

/// What is left of an event.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], SourceError> {
        let split = self.0.split_at_checked(count);
        let (taken, rest) = split.ok_or_else(|| SourceError::Malformed(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], SourceError> {
        let split = self.0.split_first_chunk();
        let (taken, rest) = split.ok_or_else(|| SourceError::Malformed(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn skip(&mut self, count: usize, what: &'static str) -> Result<(), SourceError> {
        self.take(count, what).map(|_| ())
    }

    /// A number of up to eight bytes.
    pub fn number(&mut self, bytes: usize, what: &'static str) -> Result<u64, SourceError> {
        Ok(little_endian(self.take(bytes.min(8), what)?))
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, SourceError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    pub fn u16(&mut self, what: &'static str) -> Result<u16, SourceError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, SourceError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, SourceError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A length-encoded integer ("Protocol Data Types").
    pub fn packed(&mut self, what: &'static str) -> Result<u64, SourceError> {
        match self.u8(what)? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.number(2, what),
            0xfd => self.number(3, what),
            0xfe => self.number(8, what),
            _ => Err(SourceError::Malformed(what)),
        }
    }

    /// The same where it counts things that must all be here.
    pub fn count(&mut self, what: &'static str) -> Result<usize, SourceError> {
        let count = self.packed(what)?;
        usize::try_from(count).map_err(|_| SourceError::Malformed(what))
    }

    /// A name with its length in one byte and a zero behind it.
    pub fn name(&mut self, what: &'static str) -> Result<&'a str, SourceError> {
        let length = self.u8(what)?;
        let name = self.take(length.into(), what)?;
        self.skip(1, what)?;
        text(name, what)
    }
}

/// The number of up to eight bytes.
pub fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// Names of tables and columns are UTF-8 in the log, whatever the session spoke.
pub fn text<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str, SourceError> {
    std::str::from_utf8(bytes).map_err(|_| SourceError::Malformed(what))
}

/// A bit for each of many things, the first one the lowest of the first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits<'a>(pub &'a [u8]);

impl Bits<'_> {
    pub fn length(count: usize) -> usize {
        count.div_ceil(8)
    }

    pub fn has(&self, index: usize) -> bool {
        let byte = self.0.get(index / 8).copied().unwrap_or_default();
        byte >> (index % 8) & 1 == 1
    }

    /// How many of the first `count` are set.
    pub fn ones(&self, count: usize) -> usize {
        let (whole, rest) = (count / 8, count % 8);
        let ones = |byte: &u8| byte.count_ones() as usize;
        let last = self.0.get(whole).map_or(0, |byte| byte & ((1 << rest) - 1));
        self.0.iter().take(whole).map(ones).sum::<usize>() + ones(&last)
    }
}
