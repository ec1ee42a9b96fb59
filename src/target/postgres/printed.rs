//! Whether a text is what the target prints of it, for types of which only the server knows how they
//! are printed: an interval rounded by its column, an address, arrays of another element type.

use std::collections::HashMap;

use tokio_postgres::{Client, Error};

use crate::cart::image::{Cell, Cells};
use crate::mapping::difference::{Patch, RowOp};
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Mapping};
use crate::postgres::fault::{self, Fault};
use crate::sqltype::{Class, SqlType};
use crate::target::writer::WriteError;

/// A text of ours in a column that holds the same value, printed in another way.
#[derive(Debug)]
pub struct Alike {
    pub row: (usize, RowKey),
    pub column: usize,
    pub ours: Box<str>,
}

/// A text as it was written into a column of this type, and what was found there.
struct Pair<'a> {
    ty: &'a SqlType,
    written: &'a str,
    found: &'a str,
}

/// Which texts of these rows are what was found in the target.
pub async fn alike<'f>(
    client: &Client,
    mapping: &Mapping,
    rows: impl Iterator<Item = &'f TargetRow>,
    found: impl Fn(&(usize, RowKey)) -> Option<&'f Cells>,
) -> Result<Vec<Alike>, Error> {
    let (mut all, mut pairs) = (Vec::new(), Vec::new());
    for row in rows.filter(|row| has_foreign(&mapping.intos[row.into])) {
        let id = (row.into, row.key.clone());
        let Some(there) = found(&id) else { continue };
        for (column, of) in mapping.intos[row.into].columns.iter().enumerate() {
            if let (Cell::Text(written), Cell::Text(found)) = (&row.cells[column], &there[column])
                && written != found
                && is_foreign(&of.ty)
            {
                let ty = &of.ty;
                pairs.push(Pair { ty, written, found });
                all.push(Alike {
                    row: id.clone(),
                    column,
                    ours: written.as_str().into(),
                });
            }
        }
    }
    let mut same = same(client, &pairs).await?.into_iter();
    all.retain(|_| same.next() == Some(true));
    Ok(all)
}

/// A column is of such a type.
pub fn has_foreign(into: &Into) -> bool {
    into.columns.iter().any(|column| is_foreign(&column.ty))
}

/// Types whose texts are not brought into one form here.
fn is_foreign(ty: &SqlType) -> bool {
    matches!(
        ty.class,
        Class::TimeTz | Class::Interval | Class::Inet | Class::Other
    )
}

/// For each pair whether its two texts are one value of the column.
async fn same(client: &Client, pairs: &[Pair<'_>]) -> Result<Vec<bool>, Error> {
    let mut same = vec![false; pairs.len()];
    let mut by_type: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (i, pair) in pairs.iter().enumerate() {
        let name = (pair.ty.base.as_str(), pair.ty.name.as_str());
        by_type.entry(name).or_default().push(i);
    }
    for (_, all) in by_type {
        let mut groups = vec![all];
        while let Some(mut group) = groups.pop() {
            match ask(client, pairs, &group).await {
                Ok(found) => found.into_iter().for_each(|i| same[i] = true),
                // One of them is no value of the type, so that none is found out.
                Err(error) if fault::of(&error) == Fault::Row => {
                    if group.len() > 1 {
                        groups.push(group.split_off(group.len() / 2));
                        groups.push(group);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(same)
}

/// Those of a group, all of one type, that are the same.
async fn ask(client: &Client, pairs: &[Pair<'_>], group: &[usize]) -> Result<Vec<usize>, Error> {
    let Some(ty) = group.first().map(|&i| pairs[i].ty) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT d.ord FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS d(written, found, ord) \
         WHERE format('%s', d.written::{}::{}) = d.found",
        ty.base, ty.name
    );
    let written: Vec<&str> = group.iter().map(|&i| pairs[i].written).collect();
    let found: Vec<&str> = group.iter().map(|&i| pairs[i].found).collect();
    let rows = client.query(&sql, &[&written, &found]).await?;
    let at = |ord: i64| usize::try_from(ord - 1).ok().and_then(|i| group.get(i));
    rows.iter()
        .map(|row| row.try_get(0))
        .filter_map(|ord| ord.map(|ord| at(ord).copied()).transpose())
        .collect()
}

/// The columns of which the server may have refused a value that fits no type, for it names none:
/// all other values were judged before they were sent.
pub fn suspects(patch: &Patch, error: &WriteError) -> String {
    let WriteError::Database(error) = error else {
        return String::new();
    };
    if !error.is_of_a_value() {
        return String::new();
    }
    let mut names = Vec::new();
    for write in &patch.writes {
        let (new, changed) = match &write.op {
            RowOp::Insert { new } => (new, None),
            RowOp::Update { new, changed, .. } => (new, Some(changed)),
            RowOp::Delete { .. } | RowOp::Check { .. } => continue,
        };
        for (i, column) in write.into.columns.iter().enumerate() {
            let written = changed.is_none_or(|c| c.contains(&i)) && new[i].text().is_some();
            let name = format!("{}.{}", write.into.full_name(), column.name);
            if written && is_foreign(&column.ty) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" It is {one}."),
        _ => format!(" It is one of {}.", names.join(", ")),
    }
}
