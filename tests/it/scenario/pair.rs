//! Between which kinds of server a scenario is played.

use cartage::config::Kind;

use super::folder::Side;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub source: Kind,
    pub target: Kind,
}

impl Pair {
    /// By two letters, the source's and the target's: `pm` is from Postgres to MySQL or MariaDB.
    pub fn named(name: &str) -> Self {
        let kind = |letter| match letter {
            Some('p') => Kind::Postgres,
            Some('m') => Kind::Mysql,
            _ => panic!("{name} is not a pair"),
        };
        let mut letters = name.chars();
        Self {
            source: kind(letters.next()),
            target: kind(letters.next()),
        }
    }

    pub fn of(self, side: Side) -> Kind {
        match side {
            Side::Source => self.source,
            Side::Target => self.target,
        }
    }
}

/// As the configuration calls it.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgres",
        Kind::Mysql => "mysql",
    }
}
