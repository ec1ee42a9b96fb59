//! Source tables that are not as they were when the mapping was compiled.

use serde_json::Value;
use tokio_postgres::types::Oid;
use tokio_postgres::{Client, Error};

use super::tables::quoted;
use crate::cart::layout::Layout;
use crate::postgres::moved::{self, Was};

/// What has changed in them, with the statements that put it back.
pub async fn mends(
    source: &Client,
    state: Option<&Value>,
    layout: &Layout,
    types: bool,
) -> Result<Vec<String>, Error> {
    let mut mends = Vec::new();
    for was in tables(state, layout) {
        mends.extend(moved::mends(source, &was, types).await?);
    }
    Ok(mends)
}

/// The publication's state knows the source's tables by OID, and their columns by number.
fn tables(state: Option<&Value>, layout: &Layout) -> Vec<Was> {
    layout
        .tables
        .iter()
        .map(|t| {
            let known = state.and_then(|s| s.get("tables")?.get(quoted(&t.schema, &t.name)));
            let oid = known.and_then(|k| k.get("oid")?.as_u64());
            let number = |column: &str| -> Option<i16> {
                let number = known?.get("columns")?.get(column)?.get(0)?.as_i64()?;
                i16::try_from(number).ok()
            };
            let columns = t.columns.iter();
            Was {
                oid: oid.and_then(|oid| Oid::try_from(oid).ok()),
                schema: t.schema.clone(),
                name: t.name.clone(),
                columns: columns
                    .map(|c| (number(&c.name), c.name.clone(), c.ty.name.clone()))
                    .collect(),
            }
        })
        .collect()
}
