//! How long to wait before trying again: exponential, with jitter, and an end.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff;

/// The pauses between attempts, from 100 ms up to 10 s, each varied by half so that several
/// daemons do not knock in step. The iterator ends once `max_elapsed` has gone by since this call;
/// `None` never ends.
pub fn policy(max_elapsed: Option<Duration>) -> impl Iterator<Item = Duration> + Send {
    let mut pauses = ExponentialBackoffBuilder::new()
        .with_initial_interval(Duration::from_millis(100))
        .with_multiplier(2.0)
        .with_randomization_factor(0.5)
        .with_max_interval(Duration::from_secs(10))
        .with_max_elapsed_time(max_elapsed)
        .build();
    std::iter::from_fn(move || pauses.next_backoff())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let pauses: Vec<_> = policy(None).take(30).collect();
        assert!(pauses[0] <= Duration::from_millis(150));
        assert!(pauses[29] >= Duration::from_secs(5));
        assert!(pauses.iter().all(|p| *p <= Duration::from_secs(15)));
    }

    #[test]
    fn no_time_means_no_pause() {
        assert_eq!(policy(Some(Duration::ZERO)).next(), None);
    }
}
