//! Carts that were mapped although a lookup found nothing (`missing = "null"`, `"skip"`) are asked for
//! again on a schedule (protocol rule 13).

use std::time::Duration;

use tokio::time::Instant;

use super::refresher::{RefreshError, Refresher};
use crate::cart::key::CartKey;
use crate::hash::HashMap;
use crate::params;
use crate::target::words::Words;

/// Carts looked at together.
const CHUNK: usize = 500;

impl Refresher {
    /// Has those looked at again whose turn it is. Their lane notes in the ledger that they were.
    pub(super) async fn ask_again(&mut self) -> Result<bool, RefreshError> {
        let every = self.throttle.ask_again();
        // A look costs little, but is not needed at each turn.
        let pause = (every / 20).clamp(Duration::from_millis(200), Duration::from_secs(30));
        if every.is_zero() || self.asked.is_some_and(|at| at.elapsed() < pause) {
            return Ok(false);
        }
        let due = |ago: &str| {
            format!(
                "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND asked_at < {ago} \
                 AND state IN ('mirror', 'merged') ORDER BY asked_at LIMIT {CHUNK}"
            )
        };
        let words = Words::each(
            due("now() - $2::float8 * interval '1 second'"),
            due("CURRENT_TIMESTAMP(6) - INTERVAL $2 SECOND")
                .replace("cartage.ledger", "cartage_ledger"),
        );
        let rows = self
            .control
            .query(words, params![self.pipeline, every.as_secs_f64()])
            .await?;
        let mut groups = Vec::with_capacity(rows.len());
        for row in &rows {
            groups.push(vec![CartKey::stored(&row.get::<String>(0)?)]);
        }
        let all = groups.len() < CHUNK;
        if !groups.is_empty() {
            self.touch(groups, HashMap::default()).await?;
        }
        self.asked = all.then(Instant::now);
        Ok(!rows.is_empty())
    }
}
