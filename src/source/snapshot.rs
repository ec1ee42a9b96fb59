//! A snapshot of the source, and which transactions it sees.

/// `pg_current_snapshot()` (manual 9.27.7): transactions before `xmin` are seen, those from `xmax`
/// on are not, nor those in progress between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    in_progress: Vec<u64>,
}

/// The text is not a snapshot of the form `xmin:xmax:xip,…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sent a snapshot of unknown form")]
pub struct NotASnapshot;

impl std::str::FromStr for Snapshot {
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

impl Snapshot {
    /// Whether it sees the transaction with this number as the log carries it: the low 32 bits,
    /// of a transaction that began less than 2^31 transactions from here.
    pub fn sees(&self, xid: u32) -> bool {
        let distance = xid.wrapping_sub(self.xmax as u32) as i32;
        let full = self.xmax.wrapping_add_signed(i64::from(distance));
        full < self.xmin || full < self.xmax && self.in_progress.binary_search(&full).is_err()
    }

    /// How many of the transactions that had begun at `earlier` are still in progress.
    pub fn open_since(&self, earlier: &Snapshot) -> usize {
        let begun = |xid: &&u64| **xid < earlier.xmax;
        self.in_progress.iter().filter(begun).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        text.parse().expect("a snapshot")
    }

    #[test]
    fn sees_what_had_committed() {
        let s = snapshot("10:20:10,14");
        assert!(s.sees(9));
        assert!(!s.sees(10));
        assert!(s.sees(11));
        assert!(!s.sees(14));
        assert!(s.sees(19));
        assert!(!s.sees(20));
    }

    #[test]
    fn counts_past_the_wrap_around() {
        let s = snapshot("4294967300:4294967310:4294967305");
        assert!(s.sees(u32::MAX));
        assert!(s.sees(3));
        assert!(!s.sees(9));
        assert!(!s.sees(14));
    }

    #[test]
    fn what_was_open_earlier_ends_one_by_one() {
        let earlier = snapshot("10:20:10,14");
        assert_eq!(snapshot("14:25:14,22").open_since(&earlier), 1);
        assert_eq!(snapshot("22:25:22").open_since(&earlier), 0);
        assert_eq!(earlier.open_since(&earlier), 2);
    }

    #[test]
    fn refuses_other_texts() {
        assert_eq!("10".parse::<Snapshot>(), Err(NotASnapshot));
        assert_eq!("a:b:".parse::<Snapshot>(), Err(NotASnapshot));
    }
}
