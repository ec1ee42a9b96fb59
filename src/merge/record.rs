//! What a merge decided, for a human to see: shop data, kept in the control tables and nowhere else.

use serde_json::{Value, json};

use crate::cart::image::Cell;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;

/// One decision: about a value, or about a row where it names no column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// `schema.table`.
    pub table: String,
    pub key: RowKey,
    pub column: Option<String>,
    pub base: Option<Cell>,
    pub ours: Option<Cell>,
    pub theirs: Option<Cell>,
    pub result: Option<Cell>,
    pub rule: &'static str,
}

pub(super) fn note(into: &Into, key: &RowKey, rule: &'static str) -> Decision {
    Decision {
        table: into.full_name(),
        key: key.clone(),
        column: None,
        base: None,
        ours: None,
        theirs: None,
        result: None,
        rule,
    }
}

impl Decision {
    pub fn json(&self) -> Value {
        let cell = |cell: &Option<Cell>| cell.as_ref().and_then(Cell::text).map(str::to_owned);
        json!({
            "table": self.table,
            "key": self.key.join("|"),
            "column": self.column,
            "base": cell(&self.base),
            "ours": cell(&self.ours),
            "theirs": cell(&self.theirs),
            "result": cell(&self.result),
            "rule": self.rule,
        })
    }
}
