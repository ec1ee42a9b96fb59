//! Asking the source whose cart a row belongs to, today.

use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::cart::owner::Question;
use crate::source::{AskError, Source};

/// Rows that are asked for in one statement.
const CHUNK: usize = 500;

#[derive(Debug, thiserror::Error)]
#[error("the source does not say whose cart a row belongs to: {0}")]
pub struct OwnersError(#[from] AskError);

impl OwnersError {
    pub fn cause(&self) -> &AskError {
        &self.0
    }
}

/// The carts that the rows asked for belong to now. Rows that are gone have none: they went with
/// their cart, or their own delete is in the log.
pub async fn carts_of(
    source: &Source,
    layout: &Layout,
    questions: &[Question],
) -> Result<Vec<CartKey>, OwnersError> {
    let mut carts = Vec::new();
    for table in 0..layout.tables.len() {
        let keys: Vec<Vec<String>> = questions
            .iter()
            .filter(|q| q.table == table)
            .filter_map(|q| q.key.values())
            .collect();
        for keys in keys.chunks(CHUNK) {
            carts.extend(source.owners(layout, table, keys).await?);
        }
    }
    carts.sort();
    carts.dedup();
    Ok(carts)
}
