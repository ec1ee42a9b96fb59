//! A repair undone: the rows of a cart are put back as they were found before it, each only where it is
//! still as the repair left it.
//!
//! It counts as a write of the new backend: versions move, and the ledger is left alone. So the next
//! change of the source finds the cart written by the other side, and merges.

use std::collections::BTreeMap;

use super::State;
use super::document::{self, Recorded};
use crate::cart::image::Cell;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Mapping, Role};
use crate::params;
use crate::switch::{self, Mutant};
use crate::target::error::TargetError;
use crate::target::found::{self, Ask};
use crate::target::put::{Put, put};
use crate::target::session::Target;
use crate::target::words::Words;

/// What undoing one cart's repair does to one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub table: String,
    pub key: Vec<String>,
    /// The row of before; none where it was not there.
    row: Option<Recorded>,
    /// Where it is there still: what is other than before.
    pub columns: Vec<String>,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Set,
    Insert,
    Delete,
}

impl What {
    pub fn name(self) -> &'static str {
        match self {
            What::Set => "set",
            What::Insert => "insert",
            What::Delete => "delete",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Undone {
    Done(Vec<Change>),
    Refused(String),
}

/// The changes that lead from the one to the other.
pub fn plan(before: &[Recorded], after: &[Recorded]) -> Vec<Change> {
    let by_id = |rows: &[Recorded]| -> BTreeMap<(String, Vec<String>), Recorded> {
        let rows = rows.iter();
        rows.map(|row| ((row.table.clone(), row.key.clone()), row.clone()))
            .collect()
    };
    let (before, after) = (by_id(before), by_id(after));
    let mut changes = Vec::new();
    for ((table, key), row) in &before {
        let (columns, what) = match after.get(&(table.clone(), key.clone())) {
            None => (Vec::new(), What::Insert),
            Some(now) => {
                let fields = row.row.as_object().into_iter().flatten();
                let differing = fields.filter(|(name, value)| now.row.get(name) != Some(value));
                let columns: Vec<String> = differing.map(|(name, _)| name.clone()).collect();
                if columns.is_empty() {
                    continue;
                }
                (columns, What::Set)
            }
        };
        changes.push(Change {
            table: table.clone(),
            key: key.clone(),
            row: Some(row.clone()),
            columns,
            what,
        });
    }
    for (table, key) in after.keys().filter(|id| !before.contains_key(id)) {
        changes.push(Change {
            table: table.clone(),
            key: key.clone(),
            row: None,
            columns: Vec::new(),
            what: What::Delete,
        });
    }
    changes
}

/// Undoes the repair of one cart, in one transaction, or says why not. Without `really` nothing is
/// written.
pub async fn undo(
    target: &Target,
    mapping: &Mapping,
    run: i32,
    cart: &str,
    really: bool,
) -> Result<Undone, TargetError> {
    target.run("BEGIN").await?;
    let undone = within(target, mapping, run, cart, really).await;
    let end = match &undone {
        Ok(Undone::Done(_)) if really => "COMMIT",
        _ => "ROLLBACK",
    };
    match undone {
        Ok(undone) => target.run(end).await.map(|()| undone),
        Err(error) => {
            // Where the connection is gone there is nothing to roll back.
            let _ = target.run(end).await;
            Err(error)
        }
    }
}

async fn within(
    target: &Target,
    mapping: &Mapping,
    run: i32,
    cart: &str,
    really: bool,
) -> Result<Undone, TargetError> {
    let refused = |why: &str| Ok(Undone::Refused(why.to_owned()));
    let sql = Words::each(
        "SELECT state, rows_before::text, rows_after::text FROM cartage.repair_cart \
         WHERE run = $1 AND cart = $2 FOR UPDATE",
        "SELECT state, rows_before, rows_after FROM cartage_repair_cart \
         WHERE run = $1 AND cart = $2 FOR UPDATE",
    );
    let Some(row) = target.first(sql, params![run, cart]).await? else {
        return refused("it is not part of this repair");
    };
    let state: String = row.get(0)?;
    let read = |at| -> Result<Option<Vec<Recorded>>, TargetError> {
        let text: Option<String> = row.get(at)?;
        Ok(text.and_then(|text| document::read(&text)))
    };
    let (Some(before), Some(after)) = (read(1)?, read(2)?) else {
        return refused(&format!("its repair wrote nothing ({state})"));
    };
    if state == State::Undone.name() {
        return refused("it is undone already");
    }
    let mut changes = plan(&before, &after);
    let into = |table: &str| {
        let mut intos = mapping.intos.iter().enumerate();
        intos.find(|(_, into)| into.full_name() == table)
    };
    // The version is nobody's to put back.
    for change in &mut changes {
        let Some((_, into)) = into(&change.table) else {
            return refused(&format!("{} is no longer in the mapping", change.table));
        };
        let lock = crate::target::shape::lock_column(into);
        change.columns.retain(|name| Some(name.as_str()) != lock);
    }
    // A version that moves with the rows below it is moved again with them.
    changes.retain(|change| {
        let is_header = into(&change.table).is_some_and(|(_, into)| into.role == Role::Header);
        change.what != What::Set || !change.columns.is_empty() || is_header
    });
    let ids = changes.iter().map(|c| (&c.table, &c.key));
    let headers = after.iter().map(|row| (&row.table, &row.key));
    let headers =
        headers.filter(|(table, _)| into(table).is_some_and(|(_, i)| i.role == Role::Header));
    let mut rows = Vec::new();
    for (table, key) in ids.chain(headers) {
        if let Some((index, into)) = into(table) {
            rows.push(row_of(index, into, key));
        }
    }
    let found = found::find(target, mapping, rows.iter(), Ask::Locked).await?;
    let now = normal(target, document::of(mapping, &found)).await?;
    let find = |rows: &[Recorded], row: &TargetRow| -> Option<Recorded> {
        let table = mapping.intos[row.into].full_name();
        let mut rows = rows.iter();
        let is = |r: &&Recorded| {
            r.table == table
                && r.key
                    .iter()
                    .map(|k| k.as_str())
                    .eq(row.key.iter().map(|k| &**k))
        };
        rows.find(is).cloned()
    };
    for row in &rows {
        let same = find(&now, row) == find(&after, row);
        if !same && !switch::mutant(Mutant::UndoneAnyway) {
            let (table, key) = (mapping.intos[row.into].full_name(), row.key.join("|"));
            return refused(&format!("{table} {key} was written since the repair"));
        }
    }
    if really {
        write(target, mapping, &changes).await?;
        let sql = "UPDATE cartage.repair_cart SET state = 'undone', \
                   note = 'undone: its rows are as they were before', \
                   done_at = CURRENT_TIMESTAMP(6) WHERE run = $1 AND cart = $2";
        target.execute(sql, params![run, cart]).await?;
    }
    Ok(Undone::Done(changes))
}

/// Rows go before those that they refer to, and come after them.
async fn write(target: &Target, mapping: &Mapping, changes: &[Change]) -> Result<(), TargetError> {
    let depth = |into: &Into| match into.role {
        Role::Header => 0,
        Role::Line => 1,
        Role::Detail => 2,
    };
    let mut steps = Vec::new();
    for change in changes {
        let mut intos = mapping.intos.iter();
        let Some(into) = intos.find(|into| into.full_name() == change.table) else {
            continue;
        };
        let order = match change.what {
            What::Delete => (0, -depth(into)),
            What::Set => (1, 0),
            What::Insert => (2, depth(into)),
        };
        steps.push((order, into, change));
    }
    steps.sort_by_key(|(order, ..)| *order);
    for (_, into, change) in steps {
        let key: RowKey = change.key.iter().map(|part| part.as_str().into()).collect();
        let what = match (&change.row, change.what) {
            (Some(row), What::Set) => Put::Set {
                row: &row.row,
                columns: &change.columns,
            },
            (Some(row), What::Insert) => Put::Insert { row: &row.row },
            _ => Put::Delete,
        };
        if put(target, into, &key, what).await? != 1 {
            let answer = format!("a row of {} that is locked", change.table);
            return Err(TargetError::Answer(answer));
        }
    }
    Ok(())
}

/// A row of which nothing but the key is known.
fn row_of(index: usize, into: &Into, key: &[String]) -> TargetRow {
    TargetRow {
        into: index,
        key: key.iter().map(|part| part.as_str().into()).collect(),
        cells: vec![Cell::Missing; into.columns.len()].into(),
        origin: None,
    }
}

/// As the control table keeps it: jsonb has spellings of its own.
async fn normal(target: &Target, document: String) -> Result<Vec<Recorded>, TargetError> {
    let text = match target {
        Target::Postgres(_) => {
            let sql = "SELECT $1::text::jsonb::text";
            target.one(sql, params![&document]).await?.get(0)?
        }
        Target::Mysql(_) => document,
    };
    Ok(document::read(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row(key: &str, row: Value) -> Recorded {
        Recorded {
            table: "new.line".to_owned(),
            key: vec![key.to_owned()],
            token: None,
            row,
        }
    }

    #[test]
    fn what_was_changed_put_back_or_taken_out_goes_the_other_way() {
        let before = [
            row("1", json!({ "q": 9, "note": "x" })),
            row("2", json!({ "q": 1 })),
            row("4", json!({ "q": 1 })),
        ];
        let after = [
            row("1", json!({ "q": 2, "note": "x" })),
            row("3", json!({ "q": 3 })),
            row("4", json!({ "q": 1 })),
        ];
        let plan = plan(&before, &after);
        let told: Vec<_> = plan
            .iter()
            .map(|c| (c.key[0].as_str(), c.what, c.columns.join(",")))
            .collect();
        let expected = [
            ("1", What::Set, "q".to_owned()),
            ("2", What::Insert, String::new()),
            ("3", What::Delete, String::new()),
        ];
        assert_eq!(told, expected);
    }
}
