//! Target rows held against those that are expected, one by one: of a row that is as expected nothing
//! is kept.
//!
//! Where a table has lines, they are asked for by their cart, so that those which nobody expects are
//! counted on the way.

use super::beside::Wanted;
use super::error::TargetError;
use super::found::{self, Ask, Found};
use super::postgres;
use super::session::Target;
use crate::cart::image::Cell;
use crate::mapping::header::HeaderKey;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Into, Line, Mapping};

/// What the target has in the place of a row that is expected there.
#[derive(Clone, Debug)]
pub enum Seen {
    Absent,
    /// All that is compared is printed as it is expected.
    Same,
    Other(Box<Found>),
}

impl Seen {
    pub fn is_there(&self) -> bool {
        !matches!(self, Seen::Absent)
    }
}

/// What is expected of a cart.
#[derive(Debug)]
pub struct Expects<'e> {
    /// Each sorted by table and key.
    pub rows: [&'e [TargetRow]; 2],
    /// Its header, where its lines are to be counted.
    pub header: Option<&'e HeaderKey>,
}

/// Lines under a header, whoever wrote them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub rows: usize,
    /// One has a quantity out of bounds.
    pub out: bool,
}

/// What was seen of some carts.
#[derive(Debug)]
pub struct Sights {
    /// Of all rows, cart by cart.
    pub(super) seen: Vec<Seen>,
    /// Where each cart's rows begin, and where the last one's end.
    starts: Vec<usize>,
    /// The lines of each cart, by `[[into]]`, where they were counted.
    pub(super) lines: Vec<Option<Vec<Lines>>>,
}

impl Sights {
    /// Nothing is seen yet.
    pub(super) fn of(mapping: &Mapping, carts: &[Expects<'_>]) -> Self {
        let mut starts = Vec::with_capacity(carts.len() + 1);
        let mut end = 0;
        starts.push(end);
        for cart in carts {
            end += cart.rows.iter().map(|rows| rows.len()).sum::<usize>();
            starts.push(end);
        }
        Self {
            seen: vec![Seen::Absent; end],
            starts,
            lines: vec![None; mapping.intos.len()],
        }
    }

    /// What stands for a cart's rows, in their order.
    pub fn cart(&self, at: usize) -> &[Seen] {
        let ends = (self.starts.get(at), self.starts.get(at + 1));
        match ends {
            (Some(&start), Some(&end)) => &self.seen[start..end],
            _ => &[],
        }
    }

    pub(super) fn place(&self, cart: usize, row: usize) -> usize {
        self.starts[cart] + row
    }

    /// The lines of each cart that this `[[into]]` writes; none where they were not counted.
    pub fn lines(&self, into: usize) -> Option<&[Lines]> {
        self.lines.get(into)?.as_deref()
    }
}

/// The statements of [`look`], prepared once for a long comparison.
#[derive(Debug)]
pub enum Prepared {
    Postgres(postgres::seen::Prepared),
    Mysql,
}

impl Prepared {
    pub async fn of(target: &Target, mapping: &Mapping) -> Result<Self, TargetError> {
        Ok(match target {
            Target::Postgres(client) => {
                Self::Postgres(postgres::seen::Prepared::of(client, mapping).await?)
            }
            Target::Mysql(_) => Self::Mysql,
        })
    }
}

/// Quantities below `least` are out of bounds, as those above a line's own are.
pub async fn look(
    target: &Target,
    prepared: &Prepared,
    mapping: &Mapping,
    carts: &[Expects<'_>],
    least: i64,
) -> Result<Sights, TargetError> {
    if let (Target::Postgres(client), Prepared::Postgres(prepared)) = (target, prepared) {
        let seen = postgres::seen::look(client, prepared, mapping, carts, least);
        return Ok(seen.await?);
    }
    let mut sights = Sights::of(mapping, carts);
    let rows = rows(carts);
    let found = found::find(target, mapping, rows.iter().copied(), Ask::Values).await?;
    for (seen, row) in sights.seen.iter_mut().zip(rows) {
        let Some(there) = found.get(&(row.into, row.key.clone())) else {
            continue;
        };
        let mut cells = row.cells.iter().enumerate();
        let into = &mapping.intos[row.into];
        *seen = match cells.all(|(i, cell)| !is_compared(into, i, cell) || there.holds(i, cell)) {
            true => Seen::Same,
            false => Seen::Other(Box::new(there.clone())),
        };
    }
    Ok(sights)
}

/// All rows of these carts, in the order of what is seen.
pub(super) fn rows<'e>(carts: &[Expects<'e>]) -> Vec<&'e TargetRow> {
    carts.iter().flat_map(|cart| cart.rows).flatten().collect()
}

/// A value that is held against the target's: not one that is written on insert only, nor one of which
/// nothing is known.
pub fn is_compared(into: &Into, column: usize, expected: &Cell) -> bool {
    !into.columns[column].once && *expected != Cell::Missing
}

impl Line {
    /// What the lines under this header have in the columns that name it.
    pub fn names<'k>(&self, mapping: &Mapping, header: &'k HeaderKey) -> Option<Vec<&'k str>> {
        let (into, key) = header;
        let keys = &mapping.intos[*into].key;
        let part = |(_, of): &(String, String)| {
            let place = keys.iter().position(|key| key.name == *of)?;
            key.get(place).map(|part| &**part)
        };
        self.cart.iter().map(part).collect()
    }

    pub fn is_out(&self, least: i64, quantity: f64) -> bool {
        quantity < least as f64 || quantity > self.max_quantity as f64
    }

    /// The lines that have these names of headers.
    pub fn under<'w>(&'w self, into: &'w Into, values: Vec<Vec<&'w str>>) -> Wanted<'w> {
        let columns = self.cart.iter().map(|(column, _)| column.as_str());
        Wanted {
            into,
            columns: columns.collect(),
            values,
        }
    }
}
