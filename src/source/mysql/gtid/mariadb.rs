//! MariaDB's ids, `domain-server-sequence`, and its positions: the last id of each domain.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::NotASet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gtid {
    pub domain: u32,
    pub server: u32,
    pub sequence: u64,
}

/// Per domain the transaction that came last. Within a domain the sequence goes up over all servers
/// ("Global Transaction ID": each domain is one stream), so it stands for all before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(BTreeMap<u32, (u32, u64)>);

impl Position {
    pub fn add(&mut self, gtid: Gtid) {
        let last = self.0.entry(gtid.domain).or_default();
        if gtid.sequence >= last.1 {
            *last = (gtid.server, gtid.sequence);
        }
    }

    pub fn contains(&self, gtid: &Gtid) -> bool {
        let last = self.0.get(&gtid.domain);
        last.is_some_and(|(_, sequence)| *sequence >= gtid.sequence)
    }

    pub fn is_subset(&self, of: &Self) -> bool {
        self.iter().all(|gtid| of.contains(&gtid))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Gtid> {
        let gtid = |(&domain, &(server, sequence)): (&u32, &(u32, u64))| Gtid {
            domain,
            server,
            sequence,
        };
        self.0.iter().map(gtid)
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        super::by_inclusion(self.is_subset(other), other.is_subset(self))
    }
}

impl FromStr for Gtid {
    type Err = NotASet;

    fn from_str(text: &str) -> Result<Self, NotASet> {
        let bad = || NotASet(text.to_owned());
        let mut parts = text.split('-');
        let mut part = || parts.next().filter(|p| digits(p)).ok_or_else(bad);
        let domain = part()?.parse().map_err(|_| bad())?;
        let server = part()?.parse().map_err(|_| bad())?;
        let sequence = part()?.parse().map_err(|_| bad())?;
        match parts.next() {
            None => Ok(Self {
                domain,
                server,
                sequence,
            }),
            Some(_) => Err(bad()),
        }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl FromStr for Position {
    type Err = NotASet;

    fn from_str(text: &str) -> Result<Self, NotASet> {
        let mut position = Self::default();
        let parts = text.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            position.add(part.parse()?);
        }
        Ok(position)
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, gtid) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{gtid}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn position(text: &str) -> Position {
        text.parse().expect("a position")
    }

    #[test]
    fn a_domain_is_one_stream_whoever_writes_it() {
        let after = position("0-2-120,7-101-8");
        assert!(after.contains(&"0-1-119".parse().expect("an id")));
        assert!(after.contains(&"0-1-120".parse().expect("an id")));
        assert!(!after.contains(&"0-1-121".parse().expect("an id")));
        assert!(!after.contains(&"1-1-1".parse().expect("an id")));
        let before = position("0-1-100");
        assert_eq!(before.partial_cmp(&after), Some(Ordering::Less));
        assert_eq!(position("0-1-121").partial_cmp(&after), None);
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "1-2",
            "1-2-3-4",
            "0-1-x",
            "0-1-+5",
            "-0-1-2",
            "4294967296-1-1",
            "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5",
        ] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
        assert_eq!(position(""), Position::default());
        assert_eq!(position(" 0-1-2,\n1-1-3 ").to_string(), "0-1-2,1-1-3");
    }

    fn gtids() -> impl Strategy<Value = Vec<Gtid>> {
        let gtid = (0..3_u32, 1..3_u32, 1..50_u64).prop_map(|(domain, server, sequence)| Gtid {
            domain,
            server,
            sequence,
        });
        vec(gtid, 0..12)
    }

    fn all(gtids: &[Gtid]) -> Position {
        let mut position = Position::default();
        gtids.iter().for_each(|gtid| position.add(*gtid));
        position
    }

    proptest! {
        #[test]
        fn what_was_added_is_there(some in gtids(), more in gtids()) {
            let (small, mut large) = (all(&some), all(&some));
            more.iter().for_each(|gtid| large.add(*gtid));
            prop_assert!(small.is_subset(&large));
            prop_assert!(some.iter().chain(&more).all(|gtid| large.contains(gtid)));
            prop_assert_eq!(large.is_subset(&small), more.iter().all(|g| small.contains(g)));
            prop_assert_eq!(position(&large.to_string()), large);
        }
    }
}
