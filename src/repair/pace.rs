//! How fast carts are repaired: so many a second, whoever asks.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Rates;

/// Spends a budget of carts a second.
#[derive(Debug)]
pub struct Pace {
    /// It can change while repairs go on.
    settings: watch::Receiver<Rates>,
    /// When the carts so far are paid for.
    due: Instant,
}

impl Pace {
    pub fn new(settings: watch::Receiver<Rates>) -> Self {
        Self {
            settings,
            due: Instant::now(),
        }
    }

    fn per_second(&self) -> u32 {
        self.settings.borrow().reconcile.repairs.per_second.max(1)
    }

    /// How many carts may be repaired now.
    pub fn room(&self) -> usize {
        match Instant::now() >= self.due {
            true => self.per_second() as usize,
            false => 0,
        }
    }

    pub fn spend(&mut self, carts: usize) {
        let cost = Duration::from_secs_f64(carts as f64 / f64::from(self.per_second()));
        self.due = self.due.max(Instant::now()) + cost;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn rates(per_second: u32) -> Rates {
        let text = include_str!("../../config/example.toml");
        let config = Config::parse(text, Path::new("example.toml")).expect("it is valid");
        let mut rates = config.rates();
        rates.reconcile.repairs.per_second = per_second;
        rates
    }

    #[test]
    fn no_more_than_so_many_a_second() {
        let (tell, settings) = watch::channel(rates(10));
        let mut pace = Pace::new(settings);
        assert_eq!(pace.room(), 10);
        pace.spend(5);
        assert_eq!(pace.room(), 0);
        let left = pace.due.saturating_duration_since(Instant::now());
        assert!(left > Duration::from_millis(300), "{left:?}");
        assert!(left <= Duration::from_millis(500), "{left:?}");
        pace.due = Instant::now();
        assert_eq!(pace.room(), 10);
        tell.send_replace(rates(20));
        assert_eq!(pace.room(), 20);
    }
}
