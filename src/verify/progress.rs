//! How far a verification is, and how long it will take, for who waits for it.

use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub struct Progress {
    pub carts_done: u64,
    /// The server's guess of how many there are.
    pub carts_total: Option<u64>,
    pub rows: u64,
    /// Why it waits, while it does.
    pub waiting: Option<String>,
    /// What was done before this process took it up.
    pub(super) carts_before: u64,
    pub(super) rows_before: u64,
    pub(super) worked_before: Duration,
    pub(super) waited_before: Duration,
    begun: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            carts_done: 0,
            carts_total: None,
            rows: 0,
            waiting: None,
            carts_before: 0,
            rows_before: 0,
            worked_before: Duration::ZERO,
            waited_before: Duration::ZERO,
            begun: Instant::now(),
        }
    }

    pub fn worked(&self) -> Duration {
        self.worked_before + self.begun.elapsed()
    }

    /// How long it takes at the pace of this process; none while nothing can be said.
    pub fn left(&self) -> Option<Duration> {
        let done = self.carts_done.saturating_sub(self.carts_before);
        let left = self.carts_total?.checked_sub(self.carts_done)?;
        let each = self.begun.elapsed().as_secs_f64() / done as f64;
        (done > 0).then(|| Duration::from_secs_f64(each * left as f64))
    }

    /// `12000 of about 98000 carts, 151000 rows/s, about 4 s left`
    pub fn text(&self) -> String {
        let mut text = match self.carts_total {
            Some(total) if total > self.carts_done => {
                format!("{} of about {total} carts", self.carts_done)
            }
            _ => format!("{} carts", self.carts_done),
        };
        let seconds = self.begun.elapsed().as_secs_f64();
        let rows = self.rows.saturating_sub(self.rows_before);
        if seconds > 0.5 {
            text += &format!(", {:.0} rows/s", rows as f64 / seconds);
        }
        if let Some(left) = self.left() {
            text += &format!(", about {} left", spoken(left));
        }
        if let Some(why) = &self.waiting {
            text += &format!("; waiting: {why}");
        }
        text
    }
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_known() {
        let mut progress = Progress::new();
        assert_eq!(progress.text(), "0 carts");
        assert_eq!(progress.left(), None);
        progress.begun = Instant::now() - Duration::from_secs(10);
        progress.carts_total = Some(3_000);
        (progress.carts_done, progress.rows) = (1_000, 4_000);
        assert_eq!(
            progress.text(),
            "1000 of about 3000 carts, 400 rows/s, about 20 s left"
        );
        // A guess can be too small.
        progress.carts_done = 4_000;
        progress.waiting = Some("the source is busy".to_owned());
        assert_eq!(
            progress.text(),
            "4000 carts, 400 rows/s; waiting: the source is busy"
        );
    }

    #[test]
    fn a_resumed_run_counts_its_own_pace() {
        let mut progress = Progress::new();
        progress.begun = Instant::now() - Duration::from_secs(10);
        progress.worked_before = Duration::from_secs(5);
        progress.carts_total = Some(3_000);
        (progress.carts_before, progress.carts_done) = (1_900, 2_000);
        assert_eq!(progress.left().map(|left| left.as_secs()), Some(100));
        assert_eq!(progress.worked().as_secs(), 15);
    }
}
