//! Whose the rows are that are taken, in MySQL's SQL. The numbers of a cart's rows are a table there.

use std::collections::BTreeMap;

use mysql_async::prelude::Queryable as _;

use super::session::State;
use crate::target::claim::{Claimed, Claims, Owner, adopted, judge, numbers};
use crate::target::error::TargetError;

/// Serializes those that adopt: two that find a row of nobody's must not both take it.
const ALONE: &str = "SELECT id FROM cartage_pipeline WHERE id = ? FOR UPDATE";

const WALKING: &str = "SELECT count(*) > 0 FROM cartage_refresh_run \
    WHERE pipeline = ? AND kind = 'mapping' AND finished_at IS NULL";

/// Inside the transaction that takes the rows, after they are written and locked.
pub async fn check(
    state: &mut State,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, TargetError> {
    if let Some(claim) = adopted(claims) {
        let conn = &mut state.session.conn;
        conn.exec_drop(ALONE, (pipeline,)).await?;
        // Ledger rows of the former mapping have no numbers of this one.
        let walking: Option<bool> = conn.exec_first(WALKING, (pipeline,)).await?;
        if walking == Some(true) {
            let table = claim.table.clone();
            return Ok(Some(Claimed::Untold { table }));
        }
    }
    owned(state, pipeline, claims).await
}

/// The first of the rows that belongs to a cart outside its unit.
pub async fn owned(
    state: &mut State,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, TargetError> {
    let numbers: Vec<String> = numbers(claims).iter().map(i64::to_string).collect();
    if numbers.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT s.cart, l.state = 'handed_over', s.number \
         FROM cartage_share AS s JOIN cartage_ledger AS l USING (pipeline, cart) \
         WHERE s.pipeline = {pipeline} AND s.number IN ({})",
        numbers.join(", ")
    );
    let rows: Vec<(String, bool, i64)> = state.session.conn.query(sql).await?;
    let mut owners: BTreeMap<String, Owner> = BTreeMap::new();
    for (cart, over, number) in rows {
        let owner = owners.entry(cart.clone()).or_insert(Owner {
            cart,
            over,
            owns: Vec::new(),
        });
        owner.owns.push(number);
    }
    let owners: Vec<Owner> = owners.into_values().collect();
    Ok(judge(claims, &owners))
}
