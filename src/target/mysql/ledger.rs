//! Reading the ledger in MySQL's SQL.

use std::collections::{HashMap, HashSet};

use mysql_async::prelude::Queryable as _;

use super::session::State;
use crate::cart::key::CartKey;
use crate::mysql::sql;
use crate::source::change::{Lsn, Position};
use crate::target::ledger::{Brief, Briefed, LedgerError, Loaded, Stored};

/// `('a', 'b')`
pub(super) fn list<'a>(carts: impl Iterator<Item = &'a CartKey>) -> String {
    let carts: Vec<String> = carts.map(|cart| sql::text(cart.as_str())).collect();
    format!("({})", carts.join(", "))
}

type Columns = (
    String,
    String,
    u64,
    u32,
    i32,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<String>,
    Option<Vec<u8>>,
);

/// Those of these carts that must be read again.
async fn wished(
    state: &mut State,
    pipeline: i32,
    these: &str,
) -> Result<HashSet<String>, LedgerError> {
    let sql =
        format!("SELECT cart FROM cartage_wish WHERE pipeline = {pipeline} AND cart IN {these}");
    let wished: Vec<String> = state.session.conn.query(sql).await?;
    Ok(wished.into_iter().collect())
}

/// Reads the rows of these carts, in their order.
pub async fn load(
    state: &mut State,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Loaded>, LedgerError> {
    let mut loaded: Vec<Loaded> = carts.iter().map(|_| Loaded::default()).collect();
    if carts.is_empty() {
        return Ok(loaded);
    }
    let these = list(carts.iter().copied());
    let wished = wished(state, pipeline, &these).await?;
    let conn = &mut state.session.conn;
    let sql = format!(
        "SELECT l.cart, l.state, l.lsn, l.seq, l.mapping, l.image, l.tokens, h.pending, h.unit, \
             l.kept \
         FROM cartage_ledger AS l LEFT JOIN cartage_held AS h USING (pipeline, cart) \
         WHERE l.pipeline = {pipeline} AND l.cart IN {these}"
    );
    let rows: Vec<Columns> = conn.query(sql).await?;
    let rows: HashMap<&str, &Columns> = rows.iter().map(|row| (row.0.as_str(), row)).collect();
    for (cart, loaded) in carts.iter().zip(&mut loaded) {
        loaded.wished = wished.contains(cart.as_str());
        let Some((_, state, lsn, seq, mapping, image, tokens, pending, unit, kept)) =
            rows.get(cart.as_str())
        else {
            continue;
        };
        let stored = Stored {
            state,
            position: Position {
                lsn: Lsn(*lsn),
                seq: *seq,
            },
            mapping: *mapping,
            image,
            tokens: tokens.as_deref(),
            pending: pending.as_deref().map(|bytes| (bytes, unit.clone())),
            kept: kept.as_deref(),
        };
        loaded.entry = Some(stored.read(cart)?);
    }
    Ok(loaded)
}

type Stand = (String, String, i32, Vec<u8>, u64, u32);

/// Reads states and images of these carts, in their order.
pub async fn images(
    state: &mut State,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Briefed>, LedgerError> {
    let mut briefed: Vec<Briefed> = carts.iter().map(|_| Briefed::default()).collect();
    if carts.is_empty() {
        return Ok(briefed);
    }
    let these = list(carts.iter().copied());
    let wished = wished(state, pipeline, &these).await?;
    let conn = &mut state.session.conn;
    let sql = format!(
        "SELECT cart, state, mapping, image, lsn, seq FROM cartage_ledger \
         WHERE pipeline = {pipeline} AND cart IN {these}"
    );
    let rows: Vec<Stand> = conn.query(sql).await?;
    let rows: HashMap<&str, &Stand> = rows.iter().map(|row| (row.0.as_str(), row)).collect();
    for (cart, briefed) in carts.iter().zip(&mut briefed) {
        briefed.wished = wished.contains(cart.as_str());
        let Some((_, state, mapping, image, lsn, seq)) = rows.get(cart.as_str()) else {
            continue;
        };
        let position = Position {
            lsn: Lsn(*lsn),
            seq: *seq,
        };
        briefed.entry = Some(Brief::of(cart, state, position, *mapping, image)?);
    }
    Ok(briefed)
}
