//! A snapshot of the source, and which transactions it sees.

use super::change::{Lsn, TransactionId};
use super::mysql::gtid::GtidSet;

/// What a snapshot sees, as its server can tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshot {
    Postgres(Xids),
    /// MariaDB: what stands in the log before this point, and nothing else.
    Until(Lsn),
    /// MySQL: these transactions, of those without an id what stands in the log before this point,
    /// and perhaps others.
    Passed(GtidSet, Lsn),
}

impl Snapshot {
    /// Whether the transaction's changes are in what is read. Where that cannot be told it is no:
    /// what is applied once more on top of a read changes nothing.
    pub fn sees(&self, transaction: &TransactionId) -> bool {
        match self {
            Self::Postgres(xids) => xids.see(transaction.xid),
            // Transactions of a binlog do not overlap, and the point is between two of them.
            Self::Until(point) => transaction.commit < *point,
            Self::Passed(set, point) => match transaction.gtid {
                Some(gtid) => set.contains(&gtid),
                None => transaction.commit < *point,
            },
        }
    }
}

/// `pg_current_snapshot()` (manual 9.27.7): transactions before `xmin` are seen, those from `xmax`
/// on are not, nor those in progress between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xids {
    xmin: u64,
    xmax: u64,
    in_progress: Vec<u64>,
}

/// The text is not a snapshot of the form `xmin:xmax:xip,…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sent a snapshot of unknown form")]
pub struct NotASnapshot;

impl std::str::FromStr for Xids {
    type Err = NotASnapshot;

    fn from_str(text: &str) -> Result<Self, NotASnapshot> {
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next()?.parse().ok();
        let xmin = number().ok_or(NotASnapshot)?;
        let xmax = number().ok_or(NotASnapshot)?;
        let mut in_progress = Vec::new();
        for part in parts
            .next()
            .unwrap_or_default()
            .split(',')
            .filter(|p| !p.is_empty())
        {
            in_progress.push(part.parse().map_err(|_| NotASnapshot)?);
        }
        in_progress.sort_unstable();
        Ok(Self {
            xmin,
            xmax,
            in_progress,
        })
    }
}

impl Xids {
    /// Whether their snapshot sees the transaction with this number, as the log carries it: the low
    /// 32 bits, of a transaction that began less than 2^31 transactions from here.
    pub fn see(&self, xid: u32) -> bool {
        let distance = xid.wrapping_sub(self.xmax as u32) as i32;
        let full = self.xmax.wrapping_add_signed(i64::from(distance));
        full < self.xmin || full < self.xmax && self.in_progress.binary_search(&full).is_err()
    }

    /// How many of the transactions that had begun at `earlier` are still in progress.
    pub fn open_since(&self, earlier: &Xids) -> usize {
        let begun = |xid: &&u64| **xid < earlier.xmax;
        self.in_progress.iter().filter(begun).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::mysql::gtid::{Gtid, uuid};
    use super::*;

    fn snapshot(text: &str) -> Xids {
        text.parse().expect("a snapshot")
    }

    #[test]
    fn sees_what_had_committed() {
        let s = snapshot("10:20:10,14");
        assert!(s.see(9));
        assert!(!s.see(10));
        assert!(s.see(11));
        assert!(!s.see(14));
        assert!(s.see(19));
        assert!(!s.see(20));
    }

    #[test]
    fn counts_past_the_wrap_around() {
        let s = snapshot("4294967300:4294967310:4294967305");
        assert!(s.see(u32::MAX));
        assert!(s.see(3));
        assert!(!s.see(9));
        assert!(!s.see(14));
    }

    #[test]
    fn what_was_open_earlier_ends_one_by_one() {
        let earlier = snapshot("10:20:10,14");
        assert_eq!(snapshot("14:25:14,22").open_since(&earlier), 1);
        assert_eq!(snapshot("22:25:22").open_since(&earlier), 0);
        assert_eq!(earlier.open_since(&earlier), 2);
    }

    #[test]
    fn a_point_of_a_binlog_sees_what_begins_before_it() {
        let begins = |commit| TransactionId {
            commit: Lsn(commit),
            ..TransactionId::default()
        };
        let snapshot = Snapshot::Until(Lsn(100));
        assert!(snapshot.sees(&begins(99)));
        assert!(!snapshot.sees(&begins(100)));
    }

    #[test]
    fn executed_transactions_are_seen_and_others_are_not_known_to_be() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let set = format!("{uuid}:1-5").parse().expect("a set");
        let snapshot = Snapshot::Passed(GtidSet::MySql(set), Lsn(100));
        let numbered = |number| TransactionId {
            gtid: Some(Gtid::MySql(uuid::Gtid {
                source: uuid.parse().expect("a uuid"),
                tag: uuid::Tag::default(),
                number,
            })),
            ..TransactionId::default()
        };
        assert!(snapshot.sees(&numbered(5)));
        assert!(!snapshot.sees(&numbered(6)));
        let begins = |commit| TransactionId {
            commit: Lsn(commit),
            ..TransactionId::default()
        };
        assert!(snapshot.sees(&begins(99)));
        assert!(!snapshot.sees(&begins(100)));
    }

    #[test]
    fn refuses_other_texts() {
        assert_eq!("10".parse::<Xids>(), Err(NotASnapshot));
        assert_eq!("a:b:".parse::<Xids>(), Err(NotASnapshot));
    }
}
