//! Looking again: the log is let pass the point at which a cart was read, and only what still differs
//! then, in a cart that has not changed meanwhile, is a difference.

use std::time::Duration;

use super::judge::{self, Looked, Outcome};
use super::walk::{Parked, Walk};
use super::{CHUNK, VerifyError};
use crate::cart::key::CartKey;
use crate::source::change::Position;
use crate::switch::{self, Mutant};

/// How long a difference waits for the log to pass.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a cart that changes while it is compared is read again.
const ROUNDS: usize = 3;
/// Carts looked at again at once.
const AGAIN: usize = CHUNK / 2;

impl Walk<'_> {
    /// Reads the parked carts once more, lets the log pass, and compares what it brought.
    pub(super) async fn settle(&mut self) -> Result<(), VerifyError> {
        let mut doubtful = std::mem::take(&mut self.parked);
        // Where the log does not come, it is not waited for a second time.
        let mut patience = PATIENCE;
        for _ in 0..ROUNDS {
            let mut moving = Vec::new();
            for chunk in doubtful.chunks(AGAIN) {
                let carts: Vec<CartKey> = chunk.iter().map(|parked| parked.cart.clone()).collect();
                let (reads, low, upto) = self.look.read_between(&carts).await?;
                let low = Position { lsn: low, seq: 0 };
                let passed = switch::mutant(Mutant::LogUnawaited)
                    || self.look.wait_for(upto, patience).await?;
                if !passed {
                    patience = Duration::ZERO;
                }
                let looked = self.look.compare(reads.clone()).await?;
                let (after, _) = self.look.read(&carts).await?;
                let still = switch::mutant(Mutant::MovingStandsStill);
                let both = reads.iter().zip(&after);
                for ((parked, cart), (before, after)) in chunk.iter().zip(looked).zip(both) {
                    if !cart.doubtful() {
                        self.count(cart, parked.met);
                    } else if !still && !judge::same_rows(before, after) {
                        moving.push(parked.clone());
                    } else if cart.ledger_agrees {
                        self.count(cart, parked.met);
                    } else if !still && cart.position.is_some_and(|at| at > low) {
                        // It changed, and back again: what the target holds may be what was between.
                        moving.push(parked.clone());
                    } else if passed {
                        self.count(cart, parked.met);
                    } else {
                        self.pending(parked);
                    }
                }
                self.tell();
            }
            doubtful = moving;
        }
        // They changed each time.
        for parked in &doubtful {
            self.pending(parked);
        }
        Ok(())
    }

    fn pending(&mut self, parked: &Parked) {
        let cart = Looked {
            key: parked.cart.clone(),
            outcome: match switch::mutant(Mutant::PendingIsEqual) {
                true => Outcome::Equal,
                false => Outcome::Pending,
            },
            ledger_agrees: false,
            position: None,
            stale: Vec::new(),
        };
        self.count(cart, parked.met);
    }
}
