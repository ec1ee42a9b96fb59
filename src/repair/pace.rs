//! How fast carts are repaired: so many a second, whoever asks.

use std::time::Duration;

use tokio::time::Instant;

/// Spends a budget of carts a second.
#[derive(Debug)]
pub struct Pace {
    per_second: u32,
    /// When the carts so far are paid for.
    due: Instant,
}

impl Pace {
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second: per_second.max(1),
            due: Instant::now(),
        }
    }

    /// How many carts may be repaired now.
    pub fn room(&self) -> usize {
        match Instant::now() >= self.due {
            true => self.per_second as usize,
            false => 0,
        }
    }

    pub fn spend(&mut self, carts: usize) {
        let cost = Duration::from_secs_f64(carts as f64 / f64::from(self.per_second));
        self.due = self.due.max(Instant::now()) + cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_a_second() {
        let mut pace = Pace::new(10);
        assert_eq!(pace.room(), 10);
        pace.spend(5);
        assert_eq!(pace.room(), 0);
        let left = pace.due.saturating_duration_since(Instant::now());
        assert!(left > Duration::from_millis(300), "{left:?}");
        assert!(left <= Duration::from_millis(500), "{left:?}");
        pace.due = Instant::now();
        assert_eq!(pace.room(), 10);
    }
}
