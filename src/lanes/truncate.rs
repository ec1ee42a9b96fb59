//! TRUNCATE: empties source tables in all carts. A barrier to all lanes (protocol rule 18).

use std::sync::Arc;

use super::dispatch::Load;
use super::reader::{Reader, ReaderError};
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Routed};
use crate::params;
use crate::source::change::Lsn;
use crate::switch::{self, Bound, Mutant, Place};

/// Carts that it clears at once.
const CLEARED: u64 = 1_000;

impl Reader {
    /// The lanes finish what came before, then the ledger's carts are walked in chunks, and only
    /// then the log goes on. A restart on the way gets the TRUNCATE again, and skips the carts that
    /// are done.
    pub(super) async fn truncate(&mut self, tables: Vec<usize>) -> Result<(), ReaderError> {
        let Some(mut transaction) = self.state.transaction.take() else {
            return Ok(());
        };
        let mut so_far = transaction.dealt;
        if switch::mutant(Mutant::TruncatePasses) {
            so_far.lsn = Lsn(transaction.id.commit.0 + 1);
        }
        self.deal(&mut transaction, so_far).await?;
        transaction.seq = transaction.seq.saturating_add(1);
        if !switch::mutant(Mutant::TruncateAtOnce) {
            self.dispatch.settle().await?;
        }
        switch::place(Place::TruncateBegun);
        let tables: Arc<[usize]> = tables.into();
        let (position, time, id) = (transaction.reached(), transaction.time, transaction.id);
        self.state.transaction = Some(transaction);
        let clear = |cart: CartKey| Routed {
            position,
            time,
            transaction: id,
            action: Action::Clear {
                cart,
                tables: tables.clone(),
            },
        };
        if let Some(window) = &mut self.state.window
            && !switch::mutant(Mutant::TruncateUnkept)
        {
            let members: Vec<CartKey> = window.members().cloned().collect();
            for cart in members {
                window.keep(clear(cart));
            }
        }
        let limit = switch::bound(Bound::Cleared, CLEARED);
        let walk = format!(
            "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND cart > $2 \
             AND state <> 'handed_over' ORDER BY cart LIMIT {limit}"
        );
        let mut after = String::new();
        loop {
            let asked = params![self.pipeline, &after];
            let rows = self.control.query(walk.as_str(), asked).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.get(0)?;
            let inside = |cart: &CartKey| {
                let window = self.state.window.as_ref();
                window.is_some_and(|w| w.has(cart))
            };
            let mut carts = Vec::with_capacity(rows.len());
            for row in &rows {
                carts.push(CartKey::stored(&row.get::<String>(0)?));
            }
            let carts = carts.into_iter().filter(|cart| !inside(cart));
            let load = Load {
                changes: carts.map(&clear).collect(),
                through: self.state.through(so_far),
                ..Load::default()
            };
            self.dispatch.load(load).await?;
            self.dispatch.settle().await?;
            switch::place(Place::TruncateChunk);
        }
    }
}
