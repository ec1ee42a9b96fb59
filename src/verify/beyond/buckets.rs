//! Which keys of the target no cart gives, in memory that does not grow with their number: both sides
//! are dealt by their hashes into files without a name, and held against each other bucket by bucket.

use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::hash::HashSet;

/// How many files each side has.
const BUCKETS: usize = 32;
/// What is gathered of a bucket before it is written.
const GATHERED: usize = 16 * 1024;

#[derive(Debug)]
pub struct Buckets {
    hash: foldhash::fast::RandomState,
    /// Hashes of keys that carts give.
    known: Vec<Bucket>,
    /// Keys that the target has.
    there: Vec<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    file: File,
    gathered: Vec<u8>,
}

impl Bucket {
    fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            gathered: Vec::new(),
        })
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gathered.extend_from_slice(bytes);
        match self.gathered.len() < GATHERED {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }

    fn read(&mut self) -> io::Result<BufReader<&File>> {
        self.flush()?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok(BufReader::new(&self.file))
    }
}

impl Buckets {
    pub fn create(folder: &Path) -> io::Result<Self> {
        let buckets = || {
            let each = (0..BUCKETS).map(|_| Bucket::create(folder));
            each.collect::<io::Result<Vec<Bucket>>>()
        };
        Ok(Self {
            hash: foldhash::fast::RandomState::default(),
            known: buckets()?,
            there: buckets()?,
        })
    }

    fn place(&self, key: &str) -> (u64, usize) {
        let hash = self.hash.hash_one(key);
        // The low bits tell keys of one bucket apart.
        let bucket = (hash >> 59) as usize % BUCKETS;
        (hash, bucket)
    }

    /// A cart gives this key.
    pub fn know(&mut self, key: &str) -> io::Result<()> {
        let (hash, bucket) = self.place(key);
        self.known[bucket].push(&hash.to_le_bytes())
    }

    /// The target has this key.
    pub fn there(&mut self, key: &str) -> io::Result<()> {
        let (hash, bucket) = self.place(key);
        let length = u32::try_from(key.len()).map_err(io::Error::other)?;
        let bucket = &mut self.there[bucket];
        bucket.push(&hash.to_le_bytes())?;
        bucket.push(&length.to_le_bytes())?;
        bucket.push(key.as_bytes())
    }

    /// The keys of one bucket that no cart gives, or none where there are no more buckets. Two keys of
    /// one hash are one chance in millions of millions.
    pub fn alone(&mut self, bucket: usize) -> io::Result<Option<Vec<String>>> {
        let (Some(known), Some(there)) = (self.known.get_mut(bucket), self.there.get_mut(bucket))
        else {
            return Ok(None);
        };
        let mut hashes = HashSet::default();
        let mut reader = known.read()?;
        while let Some(hash) = number(&mut reader)? {
            hashes.insert(hash);
        }
        drop(reader);
        let mut alone = Vec::new();
        let mut reader = there.read()?;
        while let Some(hash) = number(&mut reader)? {
            let mut length = [0; 4];
            reader.read_exact(&mut length)?;
            let mut key = vec![0; u32::from_le_bytes(length) as usize];
            reader.read_exact(&mut key)?;
            if !hashes.contains(&hash) {
                alone.push(String::from_utf8(key).map_err(io::Error::other)?);
            }
        }
        Ok(Some(alone))
    }
}

/// The next eight bytes; none at the end.
fn number(reader: &mut impl Read) -> io::Result<Option<u64>> {
    let mut bytes = [0; 8];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u64::from_le_bytes(bytes))),
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_no_cart_gives_are_found_and_no_others() {
        let mut buckets = Buckets::create(&std::env::temp_dir()).unwrap();
        for n in 0..20_000 {
            buckets.there(&format!("cart-{n}")).unwrap();
        }
        for n in (0..30_000).filter(|n| n % 1_000 != 7) {
            buckets.know(&format!("cart-{n}")).unwrap();
        }
        let mut alone = Vec::new();
        for bucket in 0.. {
            let Some(keys) = buckets.alone(bucket).unwrap() else {
                break;
            };
            alone.extend(keys);
        }
        alone.sort();
        let mut expected: Vec<String> =
            (0..20).map(|n| format!("cart-{}", n * 1_000 + 7)).collect();
        expected.sort();
        assert_eq!(alone, expected);
    }
}
