//! MySQL's ids, `server-uuid:number`, from 8.3 on also `server-uuid:tag:number`, and sets of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::NotASet;

/// Up to 32 letters, digits and underscores in small letters; empty means none ("GTID Format").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gtid {
    pub source: Uuid,
    pub tag: Tag,
    pub number: u64,
}

/// Per source and tag the numbers as ranges, first and last, that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(BTreeMap<(Uuid, Tag), Vec<(u64, u64)>>);

impl Tag {
    pub fn new(text: &str) -> Option<Self> {
        let mut tag = [0; 32];
        let fits = text.len() <= tag.len() && !text.starts_with(|c: char| c.is_ascii_digit());
        let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits || !letters {
            return None;
        }
        tag[..text.len()].copy_from_slice(text.to_ascii_lowercase().as_bytes());
        Some(Self(tag))
    }

    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl Set {
    pub fn add(&mut self, gtid: Gtid) {
        self.add_range(gtid.source, gtid.tag, gtid.number, gtid.number);
    }

    /// Takes the numbers from `first` to `last` in.
    pub fn add_range(&mut self, source: Uuid, tag: Tag, first: u64, last: u64) {
        let ranges = self.0.entry((source, tag)).or_default();
        // Those that overlap or touch the new one.
        let from = ranges.partition_point(|(_, end)| end.saturating_add(1) < first);
        let upto = ranges.partition_point(|(begin, _)| *begin <= last.saturating_add(1));
        let joined = ranges.get(from..upto).unwrap_or_default();
        let begin = joined.first().map_or(first, |(begin, _)| first.min(*begin));
        let end = joined.last().map_or(last, |(_, end)| last.max(*end));
        ranges.splice(from..upto.max(from), [(begin, end)]);
    }

    pub fn contains(&self, gtid: &Gtid) -> bool {
        self.covers(gtid.source, gtid.tag, gtid.number, gtid.number)
    }

    fn covers(&self, source: Uuid, tag: Tag, first: u64, last: u64) -> bool {
        let ranges = self.0.get(&(source, tag)).map(Vec::as_slice);
        let ranges = ranges.unwrap_or_default();
        let after = ranges.partition_point(|(begin, _)| *begin <= first);
        let before = after.checked_sub(1).and_then(|i| ranges.get(i));
        before.is_some_and(|(_, end)| *end >= last)
    }

    pub fn is_subset(&self, of: &Self) -> bool {
        self.0.iter().all(|((source, tag), ranges)| {
            let covered = |(first, last): &(u64, u64)| of.covers(*source, *tag, *first, *last);
            ranges.iter().all(covered)
        })
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialOrd for Set {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        super::by_inclusion(self.is_subset(other), other.is_subset(self))
    }
}

impl FromStr for Set {
    type Err = NotASet;

    /// `uuid:1-5:7,uuid:tag:1-3:other:4`, with blanks and line ends anywhere between.
    fn from_str(text: &str) -> Result<Self, NotASet> {
        let bad = |part: &str| NotASet(part.to_owned());
        let mut set = Self::default();
        let parts = text.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let mut fields = part.split(':').map(str::trim);
            let source = fields.next().unwrap_or_default();
            let source = Uuid::try_parse(source).map_err(|_| bad(part))?;
            let (mut tag, mut some) = (Tag::default(), false);
            for field in fields {
                if !field.starts_with(|c: char| c.is_ascii_digit()) {
                    tag = Tag::new(field)
                        .filter(|tag| *tag != Tag::default())
                        .ok_or_else(|| bad(part))?;
                    some = false;
                    continue;
                }
                let (first, last) = field.split_once('-').unwrap_or((field, field));
                let number = |text: &str| text.trim().parse::<u64>().map_err(|_| bad(part));
                let (first, last) = (number(first)?, number(last)?);
                if first == 0 || last < first {
                    return Err(bad(part));
                }
                set.add_range(source, tag, first, last);
                some = true;
            }
            if !some {
                return Err(bad(part));
            }
        }
        Ok(set)
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.source)?;
        if self.tag != Tag::default() {
            write!(f, "{}:", self.tag.as_str())?;
        }
        write!(f, "{}", self.number)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        for ((source, tag), ranges) in &self.0 {
            match before {
                Some(before) if before == source => {}
                Some(_) => write!(f, ",{source}")?,
                None => write!(f, "{source}")?,
            }
            before = Some(source);
            if *tag != Tag::default() {
                write!(f, ":{}", tag.as_str())?;
            }
            for (first, last) in ranges {
                match first == last {
                    true => write!(f, ":{first}")?,
                    false => write!(f, ":{first}-{last}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "7e11fa47-71ca-11e1-9e33-c80aa9429563";

    fn set(text: &str) -> Set {
        text.parse().expect("a set")
    }

    #[test]
    fn sets_are_read_as_servers_write_them() {
        let text = format!("{}:1-5:7,\n{B}:1:shop:1-3:9", A.to_uppercase());
        assert_eq!(
            set(&text).to_string(),
            format!("{A}:1-5:7,{B}:1:shop:1-3:9")
        );
        assert_eq!(set(&format!("{A}:5:1-3:4")), set(&format!("{A}:1-5")));
        assert_eq!(set(""), Set::default());
        let zero = format!("{A}:0");
        let back = format!("{A}:5-4");
        let bare = format!("{A}:tag");
        let tag = format!("{A}:{}:1", "t".repeat(33));
        for bad in [A, &zero, &back, &bare, &tag, "0-1-5", "7-101-8", "x"] {
            assert!(bad.parse::<Set>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tag_is_a_stream_of_its_own() {
        let tagged = set(&format!("{A}:shop:1-5"));
        let plain = set(&format!("{A}:1-5"));
        assert_eq!(tagged.partial_cmp(&plain), None);
        let both = set(&format!("{A}:1-9:shop:1-5"));
        assert_eq!(tagged.partial_cmp(&both), Some(Ordering::Less));
        assert_eq!(both.partial_cmp(&plain), Some(Ordering::Greater));
    }

    type Numbers = Vec<(bool, bool, u64)>;

    fn numbers() -> impl Strategy<Value = Numbers> {
        vec((any::<bool>(), any::<bool>(), 1..30_u64), 0..40)
    }

    fn gtid((b, tagged, number): (bool, bool, u64)) -> Gtid {
        Gtid {
            source: if b { B } else { A }.parse().expect("a uuid"),
            tag: Tag::new(if tagged { "shop" } else { "" }).expect("a tag"),
            number,
        }
    }

    fn all(numbers: &Numbers) -> Set {
        let mut set = Set::default();
        numbers.iter().for_each(|number| set.add(gtid(*number)));
        set
    }

    proptest! {
        #[test]
        fn a_set_of_ranges_is_a_set_of_numbers(some in numbers(), more in numbers()) {
            let (a, b) = (all(&some), all(&more));
            let some: BTreeSet<_> = some.into_iter().collect();
            let more: BTreeSet<_> = more.into_iter().collect();
            prop_assert_eq!(a.is_subset(&b), some.is_subset(&more));
            prop_assert_eq!(a == b, some == more);
            for number in some.union(&more) {
                prop_assert_eq!(a.contains(&gtid(*number)), some.contains(number));
            }
            let apart = a.0.values().all(|r| r.windows(2).all(|w| w[0].1 + 1 < w[1].0));
            prop_assert!(apart);
            prop_assert_eq!(set(&a.to_string()), a);
        }
    }
}
