//! Reading the ledger in Postgres' SQL.

use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, Row, Statement};

use crate::cart::key::CartKey;
use crate::source::change::{Lsn, Position};
use crate::target::ledger::{Brief, Briefed, LedgerError, Loaded, Stored};

/// Reads the rows of these carts with one statement, in their order.
pub async fn load(
    client: &Client,
    statement: &Statement,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Loaded>, LedgerError> {
    let keys: Vec<&str> = carts.iter().map(|c| c.as_str()).collect();
    let rows = client.query(statement, &[&pipeline, &keys]).await?;
    let mut loaded: Vec<Loaded> = carts.iter().map(|_| Loaded::default()).collect();
    for row in rows {
        let ord: i64 = row.get(0);
        let Some(at) = usize::try_from(ord - 1).ok().filter(|at| *at < carts.len()) else {
            continue;
        };
        loaded[at].wished = row.get(1);
        let Some(state) = row.get(2) else {
            continue;
        };
        let pending: Option<&[u8]> = row.get(8);
        let stored = Stored {
            state,
            position: position(&row, 3),
            mapping: row.get(5),
            image: row.get(6),
            tokens: row.get(7),
            pending: pending.map(|bytes| (bytes, row.get(9))),
            kept: row.get(10),
        };
        loaded[at].entry = Some(stored.read(carts[at])?);
    }
    Ok(loaded)
}

/// The statement of [`load`]. Each cart is looked up by the index: joined, the planner would read
/// through a ledger of which it has no statistics yet, once for each cart.
pub const LOAD: &str = "SELECT c.ord, w.cart IS NOT NULL, l.state, l.lsn::text, l.seq, l.mapping, \
           l.image, l.tokens, h.pending, h.unit, l.kept \
    FROM unnest($2::text[]) WITH ORDINALITY AS c(cart, ord) \
    LEFT JOIN LATERAL (SELECT * FROM cartage.ledger l \
        WHERE l.pipeline = $1 AND l.cart = c.cart LIMIT 1) AS l ON true \
    LEFT JOIN LATERAL (SELECT * FROM cartage.wish w \
        WHERE w.pipeline = $1 AND w.cart = c.cart LIMIT 1) AS w ON true \
    LEFT JOIN LATERAL (SELECT * FROM cartage.held h \
        WHERE h.pipeline = $1 AND h.cart = c.cart LIMIT 1) AS h ON true \
    WHERE l.cart IS NOT NULL OR w.cart IS NOT NULL";

/// Reads states and images of these carts, in their order.
pub async fn images(
    client: &Client,
    statement: &Statement,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Briefed>, LedgerError> {
    let keys: Vec<&str> = carts.iter().map(|c| c.as_str()).collect();
    let rows = client.query(statement, &[&pipeline, &keys]).await?;
    let mut briefed: Vec<Briefed> = carts.iter().map(|_| Briefed::default()).collect();
    for row in rows {
        let ord: i64 = row.get(0);
        let Some(at) = usize::try_from(ord - 1).ok().filter(|at| *at < carts.len()) else {
            continue;
        };
        briefed[at].wished = row.get(1);
        let Some(state) = row.get(2) else {
            continue;
        };
        let position = Position {
            lsn: Lsn(row.get::<_, PgLsn>(5).into()),
            seq: u32::try_from(row.get::<_, i64>(6)).unwrap_or(u32::MAX),
        };
        let brief = Brief::of(carts[at], state, position, row.get(3), row.get(4))?;
        briefed[at].entry = Some(brief);
    }
    Ok(briefed)
}

/// The statement of [`images`].
pub const IMAGES: &str = "SELECT c.ord, w.cart IS NOT NULL, l.state, l.mapping, l.image, \
        l.lsn, l.seq \
    FROM unnest($2::text[]) WITH ORDINALITY AS c(cart, ord) \
    LEFT JOIN LATERAL (SELECT * FROM cartage.ledger l \
        WHERE l.pipeline = $1 AND l.cart = c.cart LIMIT 1) AS l ON true \
    LEFT JOIN LATERAL (SELECT * FROM cartage.wish w \
        WHERE w.pipeline = $1 AND w.cart = c.cart LIMIT 1) AS w ON true \
    WHERE l.cart IS NOT NULL OR w.cart IS NOT NULL";

/// A position from an `lsn::text` column and the `seq` column after it.
fn position(row: &Row, at: usize) -> Position {
    let lsn: &str = row.get(at);
    let seq: i64 = row.get(at + 1);
    Position {
        lsn: lsn.parse().unwrap_or_default(),
        seq: u32::try_from(seq).unwrap_or(u32::MAX),
    }
}
