//! Records that do not fit into memory: a file without a name in the scratch folder, gone with the
//! process.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// What is gathered before it is written, and read at once.
const CHUNK: usize = 256 * 1024;
/// Each record follows its length.
const PREFIX: usize = 4;

/// A place in a [`Scratch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spot(pub u64);

#[derive(Debug)]
pub struct Scratch {
    file: File,
    /// Bytes in the file; what follows them is in `pending`.
    written: u64,
    pending: Vec<u8>,
}

impl Scratch {
    pub fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            written: 0,
            pending: Vec::new(),
        })
    }

    /// Bytes of all records.
    pub fn len(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Appends a record. After an error it is not there, and all before it are.
    pub fn push<T: Serialize>(&mut self, record: &T) -> io::Result<Spot> {
        if self.pending.len() >= CHUNK {
            waiting(|| self.file.write_all_at(&self.pending, self.written))?;
            self.written += self.pending.len() as u64;
            self.pending.clear();
        }
        let spot = Spot(self.len());
        let start = self.pending.len();
        self.pending.extend_from_slice(&[0; PREFIX]);
        let encoded = std::mem::take(&mut self.pending);
        self.pending = postcard::to_extend(record, encoded).map_err(io::Error::other)?;
        let length = self.pending.len() - start - PREFIX;
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.pending[start..start + PREFIX].copy_from_slice(&length.to_le_bytes());
        Ok(spot)
    }

    /// The record at `spot`.
    pub fn read<T: DeserializeOwned>(&self, spot: Spot) -> io::Result<T> {
        let mut prefix = [0; PREFIX];
        self.copy(spot.0, &mut prefix)?;
        let mut record = vec![0; u32::from_le_bytes(prefix) as usize];
        self.copy(spot.0 + PREFIX as u64, &mut record)?;
        postcard::from_bytes(&record).map_err(io::Error::other)
    }

    /// All records in the order in which they were appended.
    pub fn records(&self) -> Records<'_> {
        Records {
            scratch: self,
            at: 0,
            chunk: Vec::new(),
            from: 0,
        }
    }

    /// Bytes from `at` on, of the file or not yet in it.
    fn copy(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match at.checked_sub(self.written) {
            None => self.file.read_exact_at(into, at),
            Some(start) => {
                let start = usize::try_from(start).map_err(io::Error::other)?;
                let bytes = self.pending.get(start..start + into.len());
                into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

/// Walks through a [`Scratch`]; it is asked for one record after the other.
pub struct Records<'a> {
    scratch: &'a Scratch,
    at: u64,
    chunk: Vec<u8>,
    /// Where `chunk` begins.
    from: u64,
}

impl Records<'_> {
    pub fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(Spot, T)>> {
        if self.at == self.scratch.len() {
            return Ok(None);
        }
        let spot = Spot(self.at);
        let prefix = self.bytes(PREFIX)?;
        let length = prefix.try_into().map_err(io::Error::other)?;
        let length = u32::from_le_bytes(length) as usize;
        let record = postcard::from_bytes(self.bytes(length)?).map_err(io::Error::other)?;
        Ok(Some((spot, record)))
    }

    /// The next bytes. Records lie wholly in the file or wholly behind it.
    fn bytes(&mut self, length: usize) -> io::Result<&[u8]> {
        let inside = |chunk: &[u8], from: u64, at: u64| {
            let start = usize::try_from(at.checked_sub(from)?).ok()?;
            (start + length <= chunk.len()).then_some(start)
        };
        if inside(&self.chunk, self.from, self.at).is_none() {
            let written = self.scratch.written;
            let end = match self.at < written {
                true => written,
                false => self.scratch.len(),
            };
            let rest = usize::try_from(end - self.at).map_err(io::Error::other)?;
            self.chunk.resize(rest.min(length.max(CHUNK)), 0);
            self.from = self.at;
            let (scratch, at, chunk) = (self.scratch, self.at, &mut self.chunk);
            waiting(|| scratch.copy(at, chunk))?;
        }
        let start = inside(&self.chunk, self.from, self.at).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at += length as u64;
        Ok(&self.chunk[start..start + length])
    }
}

/// Does what may wait for a disk, while the other tasks of this thread go on elsewhere.
fn waiting<T>(work: impl FnOnce() -> T) -> T {
    let several = |handle: Handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread;
    match Handle::try_current().is_ok_and(several) {
        true => block_in_place(work),
        false => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_order_and_at_their_spots() {
        let mut scratch = Scratch::create(&std::env::temp_dir()).unwrap();
        let record = |n: u32| (n, "x".repeat(n as usize * 7 % 5_000));
        let spots: Vec<Spot> = (0..2_000)
            .map(|n| scratch.push(&record(n)).unwrap())
            .collect();
        assert!(scratch.written > 0 && !scratch.pending.is_empty());
        for n in [1_999, 0, 777] {
            let read: (u32, String) = scratch.read(spots[n as usize]).unwrap();
            assert_eq!(read, record(n));
        }
        let mut records = scratch.records();
        for n in 0..2_000 {
            let next = records.next::<(u32, String)>().unwrap();
            assert_eq!(next, Some((spots[n as usize], record(n))));
        }
        assert_eq!(records.next::<(u32, String)>().unwrap(), None);
    }

    #[test]
    fn a_record_larger_than_a_chunk() {
        let mut scratch = Scratch::create(&std::env::temp_dir()).unwrap();
        let large = "y".repeat(3 * CHUNK);
        for text in ["a", &large, "b", "c"] {
            scratch.push(&text).unwrap();
        }
        let mut records = scratch.records();
        for text in ["a", &large, "b", "c"] {
            let (_, read) = records.next::<String>().unwrap().unwrap();
            assert_eq!(read, text);
        }
    }
}
