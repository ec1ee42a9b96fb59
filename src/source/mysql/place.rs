//! Where something stands in the binlog: file and offset, packed so that they sort as one number.

use std::fmt;

use crate::source::change::Lsn;

/// Offset of the first event of each file, after its magic number.
pub const FIRST: u64 = 4;
/// Stands for all that lies beyond what 32 bits can say. The server begins a new file after the
/// transaction that made one so large, so nothing but that transaction's end is ever there.
const BEYOND: u64 = u32::MAX as u64;
/// Bits of the file's number; those above are the generation's.
const NUMBER_BITS: u32 = 24;

/// A place in the log of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Counts the servers that were read one after the other.
    pub generation: u8,
    /// Number of the file, at the end of its name.
    pub file: u32,
    pub offset: u64,
}

impl Place {
    pub fn at(file: u32, offset: u64) -> Self {
        Self {
            generation: 0,
            file,
            offset,
        }
    }

    /// As it is stored: generation, file and offset in 8, 24 and 32 bits.
    pub fn lsn(self) -> Lsn {
        let file = u64::from(self.file) & ((1 << NUMBER_BITS) - 1);
        let high = u64::from(self.generation) << NUMBER_BITS | file;
        Lsn(high << 32 | self.offset.min(BEYOND))
    }

    pub fn of(lsn: Lsn) -> Self {
        let high = (lsn.0 >> 32) as u32;
        Self {
            generation: (high >> NUMBER_BITS) as u8,
            file: high & ((1 << NUMBER_BITS) - 1),
            offset: lsn.0 & BEYOND,
        }
    }

    /// Where reading goes on: a file that has grown past what a position can say ends there.
    pub fn to_read(self) -> Self {
        match self.offset {
            BEYOND.. => Self {
                file: self.file + 1,
                offset: FIRST,
                ..self
            },
            offset => Self {
                offset: offset.max(FIRST),
                ..self
            },
        }
    }
}

/// The text is not the name of a file of a binlog.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the name of a binlog file; expected one as in binlog.000007")]
pub struct NotAFile(String);

/// The text is not a place in the source's binlog.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no position in the source's binlog; expected one as in binlog.000007:1234")]
pub struct NotAPlace(String);

/// What all files of a binlog are called, without their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Base(String);

impl Base {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name that the server knows file `number` by: at least six digits.
    pub fn file(&self, number: u32) -> String {
        format!("{}.{number:06}", self.0)
    }

    /// Splits a file's name. The server may have the folder in front of it.
    pub fn split(name: &str) -> Result<(Self, u32), NotAFile> {
        let bad = || NotAFile(name.to_owned());
        let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
        let (base, number) = file.rsplit_once('.').ok_or_else(bad)?;
        let digits = number.len() >= 6 && number.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = number.parse().map_err(|_| bad())?;
        match digits && !base.is_empty() && number < 1 << NUMBER_BITS {
            true => Ok((Self(base.to_owned()), number)),
            false => Err(bad()),
        }
    }

    /// Reads what is shown to people.
    pub fn read(&self, text: &str) -> Result<Lsn, NotAPlace> {
        let bad = || NotAPlace(text.to_owned());
        let (file, offset) = text.rsplit_once(':').ok_or_else(bad)?;
        let (base, number) = Self::split(file).map_err(|_| bad())?;
        let offset = match offset {
            "end" => BEYOND,
            offset => offset.parse().map_err(|_| bad())?,
        };
        match base == *self {
            true => Ok(Place::at(number, offset).lsn()),
            false => Err(bad()),
        }
    }

    /// For people: `binlog.000007:1234`.
    pub fn show(&self, lsn: Lsn) -> Shown<'_> {
        Shown(self, Place::of(lsn))
    }
}

pub struct Shown<'a>(&'a Base, Place);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(base, place) = self;
        match place.offset {
            BEYOND.. => write!(f, "{}:end", base.file(place.file)),
            offset => write!(f, "{}:{offset}", base.file(place.file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_split_where_their_number_begins() {
        let split = |name| Base::split(name).map(|(base, number)| (base.0, number));
        assert_eq!(
            split("binlog.000007").expect("a file"),
            ("binlog".into(), 7)
        );
        assert_eq!(
            split("/var/log/shop.example.123456").expect("a file"),
            ("shop.example".into(), 123_456)
        );
        assert_eq!(split("b.1234567").expect("a file"), ("b".into(), 1_234_567));
        for bad in [
            "binlog",
            ".000001",
            "binlog.7",
            "binlog.00000x",
            "b.99999999",
            "",
        ] {
            assert!(Base::split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn people_see_files_and_offsets() {
        let base = Base::new("binlog");
        let show = |file, offset| base.show(Place::at(file, offset).lsn()).to_string();
        assert_eq!(show(7, 1234), "binlog.000007:1234");
        assert_eq!(show(1_234_567, 4), "binlog.1234567:4");
        assert_eq!(show(7, 5 << 30), "binlog.000007:end");
    }

    #[test]
    fn a_file_that_outgrew_its_positions_is_left_at_its_end() {
        let end = Place::at(7, 5 << 30).lsn();
        assert!(end > Place::at(7, u64::from(u32::MAX) - 1).lsn());
        assert!(end < Place::at(8, FIRST).lsn());
        assert_eq!(Place::of(end).to_read(), Place::at(8, FIRST));
        assert_eq!(Place::of(Lsn(7 << 32)).to_read(), Place::at(7, FIRST));
        assert_eq!(Place::at(7, 99).to_read(), Place::at(7, 99));
    }

    proptest! {
        #[test]
        fn packing_keeps_the_order(
            a in (0..3_u8, 0..1_u32 << 24, 0..BEYOND),
            b in (0..3_u8, 0..1_u32 << 24, 0..BEYOND),
        ) {
            let place = |(generation, file, offset)| Place { generation, file, offset };
            let (a, b) = (place(a), place(b));
            prop_assert_eq!(a.lsn().cmp(&b.lsn()), a.cmp(&b));
            prop_assert_eq!(Place::of(a.lsn()), a);
        }
    }
}
