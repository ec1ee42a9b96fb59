//! Reading an event's bytes from front to back; numbers are little-endian.

use bytes::Bytes;

use crate::source::mysql::SourceError;

/// What is left of an event.
#[derive(Clone, Debug)]
pub struct Reader(pub Bytes);

impl Reader {
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<Bytes, SourceError> {
        match count <= self.0.len() {
            true => Ok(self.0.split_to(count)),
            false => Err(SourceError::Malformed(what)),
        }
    }

    pub fn skip(&mut self, count: usize, what: &'static str) -> Result<(), SourceError> {
        self.take(count, what).map(|_| ())
    }

    /// A number of up to eight bytes.
    pub fn number(&mut self, bytes: usize, what: &'static str) -> Result<u64, SourceError> {
        let mut number = [0; 8];
        let taken = self.take(bytes.min(8), what)?;
        number[..taken.len()].copy_from_slice(&taken);
        Ok(u64::from_le_bytes(number))
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, SourceError> {
        Ok(self.number(1, what)? as u8)
    }

    pub fn u16(&mut self, what: &'static str) -> Result<u16, SourceError> {
        Ok(self.number(2, what)? as u16)
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, SourceError> {
        Ok(self.number(4, what)? as u32)
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, SourceError> {
        self.number(8, what)
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
    pub fn name(&mut self, what: &'static str) -> Result<String, SourceError> {
        let length = self.u8(what)?;
        let name = self.take(length.into(), what)?;
        self.skip(1, what)?;
        text(&name, what)
    }
}

/// Names of tables and columns are UTF-8 in the log, whatever the session spoke.
pub fn text(bytes: &[u8], what: &'static str) -> Result<String, SourceError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SourceError::Malformed(what))?;
    Ok(text.to_owned())
}

/// A bit for each of many things, the first one the lowest of the first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits(pub Bytes);

impl Bits {
    pub fn length(count: usize) -> usize {
        count.div_ceil(8)
    }

    pub fn has(&self, index: usize) -> bool {
        let byte = self.0.get(index / 8).copied().unwrap_or_default();
        byte >> (index % 8) & 1 == 1
    }

    /// How many of the first `count` are set.
    pub fn ones(&self, count: usize) -> usize {
        (0..count).filter(|i| self.has(*i)).count()
    }
}
