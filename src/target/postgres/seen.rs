//! Target rows held against those that are expected, as they come from the server: a query a table,
//! and one more for lines that are not where they belong.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

use super::beside::{joined, nth};
use super::found::printed_column;
use super::{printed, statement};
use crate::cart::image::Cell;
use crate::mapping::expr::canonical;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Line, Mapping};
use crate::target::found::Found;
use crate::target::seen::{self, Expects, Lines, Seen, Sights, is_compared};

/// The statements for each `[[into]]`.
#[derive(Debug)]
pub struct Prepared(Vec<Asking>);

#[derive(Debug)]
struct Asking {
    /// Columns that are compared.
    columns: Vec<usize>,
    by_key: Statement,
    by_cart: Option<ByCart>,
}

/// For lines that alone fill their table.
#[derive(Debug)]
struct ByCart {
    statement: Statement,
    /// Where in an answer the quantity stands.
    quantity: usize,
}

impl Prepared {
    pub async fn of(client: &Client, mapping: &Mapping) -> Result<Self, Error> {
        let mut all = Vec::with_capacity(mapping.intos.len());
        for into in &mapping.intos {
            let columns = 0..into.columns.len();
            let columns: Vec<usize> = columns.filter(|&i| !into.columns[i].once).collect();
            let by_cart = match by_cart(mapping, into, &columns) {
                Some((sql, quantity)) => Some(ByCart {
                    statement: client.prepare(&sql).await?,
                    quantity,
                }),
                None => None,
            };
            all.push(Asking {
                by_key: client.prepare(&by_key(into, &columns)).await?,
                by_cart,
                columns,
            });
        }
        Ok(Self(all))
    }
}

fn by_key(into: &Into, columns: &[usize]) -> String {
    format!(
        "SELECT d.ord{} FROM {} AS t, {} WHERE {}",
        shown(into, columns),
        statement::table(into),
        statement::keys(into),
        statement::key_match(into)
    )
}

/// The statement by which a table's lines are found under their headers, keys first, and the place of
/// the quantity in an answer.
fn by_cart(mapping: &Mapping, into: &Into, columns: &[usize]) -> Option<(String, usize)> {
    let line = into.line.as_ref().filter(|line| !line.cart.is_empty())?;
    let fills = mapping.intos.iter();
    let fills = fills.filter(|other| (&other.schema, &other.table) == (&into.schema, &into.table));
    if fills.count() != 1 {
        return None;
    }
    let is_quantity = |&i: &usize| into.columns[i].name == line.quantity;
    let quantity = 1 + into.key.len() + columns.iter().position(is_quantity)?;
    let keys = into.key.iter();
    let keys = keys.map(|key| format!(", {}", printed_column(&key.name, &key.ty)));
    let sql = format!(
        "SELECT d.ord{}{} FROM {}",
        keys.collect::<String>(),
        shown(into, columns),
        joined(&line.under(into, Vec::new()))
    );
    Some((sql, quantity))
}

fn shown(into: &Into, columns: &[usize]) -> String {
    let columns = columns.iter().map(|&i| &into.columns[i]);
    let columns = columns.map(|c| format!(", {}", printed_column(&c.name, &c.ty)));
    columns.collect()
}

pub async fn look(
    client: &Client,
    prepared: &Prepared,
    mapping: &Mapping,
    carts: &[Expects<'_>],
    least: i64,
) -> Result<Sights, Error> {
    let mut sights = Sights::of(mapping, carts);
    for (index, into) in mapping.intos.iter().enumerate() {
        let asking = &prepared.0[index];
        if let (Some(by_cart), Some(line)) = (&asking.by_cart, &into.line) {
            let look = Under {
                mapping,
                index,
                line,
                asking,
                least,
            };
            look.run(client, by_cart, carts, &mut sights).await?;
        }
    }
    let rows = seen::rows(carts);
    let mut wanted: Vec<Vec<usize>> = vec![Vec::new(); mapping.intos.len()];
    for (place, row) in rows.iter().enumerate() {
        if !sights.seen[place].is_there() {
            wanted[row.into].push(place);
        }
    }
    for (index, wanted) in wanted.iter().enumerate() {
        if wanted.is_empty() {
            continue;
        }
        let (into, asking) = (&mapping.intos[index], &prepared.0[index]);
        let parts = (0..into.key.len()).map(|part| {
            let keys = wanted.iter().map(|&place| &*rows[place].key[part]);
            keys.collect::<Vec<&str>>()
        });
        let parts: Vec<Vec<&str>> = parts.collect();
        let mut answer = pin!(client.query_raw(&asking.by_key, parts).await?);
        while let Some(row) = answer.try_next().await? {
            if let Some(&place) = wanted.get(nth(&row)?) {
                sights.seen[place] = asking.compare(into, rows[place], &row, 1)?;
            }
        }
    }
    if mapping.intos.iter().any(|into| printed::has_foreign(into)) {
        add_alike(client, mapping, &rows, &mut sights).await?;
    }
    Ok(sights)
}

/// Lines under their headers.
struct Under<'u> {
    mapping: &'u Mapping,
    index: usize,
    line: &'u Line,
    asking: &'u Asking,
    least: i64,
}

impl Under<'_> {
    async fn run(
        &self,
        client: &Client,
        by_cart: &ByCart,
        carts: &[Expects<'_>],
        sights: &mut Sights,
    ) -> Result<(), Error> {
        let into = &self.mapping.intos[self.index];
        let mut asked = Vec::with_capacity(carts.len());
        let mut params = vec![Vec::with_capacity(carts.len()); self.line.cart.len()];
        for (at, cart) in carts.iter().enumerate() {
            let names = cart.header.and_then(|h| self.line.names(self.mapping, h));
            let Some(names) = names else { continue };
            asked.push(at);
            for (param, name) in params.iter_mut().zip(names) {
                param.push(name);
            }
        }
        let mut lines = vec![Lines::default(); carts.len()];
        if asked.is_empty() {
            sights.lines[self.index] = Some(lines);
            return Ok(());
        }
        let mut answer = pin!(client.query_raw(&by_cart.statement, params).await?);
        while let Some(row) = answer.try_next().await? {
            let Some(&at) = asked.get(nth(&row)?) else {
                continue;
            };
            lines[at].rows += 1;
            let quantity = text(&row, by_cart.quantity)?.and_then(|text| text.parse().ok());
            lines[at].out |= quantity.is_some_and(|q| self.line.is_out(self.least, q));
            let mut key = Vec::with_capacity(into.key.len());
            for part in 0..into.key.len() {
                key.push(raw(&row, 1 + part)?.unwrap_or_default());
            }
            if let Some((nth, expected)) = self.expected(&carts[at], &key) {
                let place = sights.place(at, nth);
                let first = 1 + into.key.len();
                sights.seen[place] = self.asking.compare(into, expected, &row, first)?;
            }
        }
        sights.lines[self.index] = Some(lines);
        Ok(())
    }

    /// The cart's row of this key, and its place among the cart's.
    fn expected<'e>(&self, cart: &Expects<'e>, key: &[&[u8]]) -> Option<(usize, &'e TargetRow)> {
        let order = |row: &TargetRow| {
            let parts = row.key.iter().map(|part| part.as_bytes());
            let by_key = || parts.cmp(key.iter().copied());
            row.into.cmp(&self.index).then_with(by_key)
        };
        let [given, gone] = cart.rows;
        if let Ok(at) = given.binary_search_by(order) {
            return Some((at, &given[at]));
        }
        let at = gone.binary_search_by(order).ok()?;
        Some((given.len() + at, &gone[at]))
    }
}

impl Asking {
    /// What a row of an answer is beside the one expected: its columns begin at `first`. Values are
    /// brought into the form in which they are compared only where their bytes are not those expected.
    fn compare(
        &self,
        into: &Into,
        expected: &TargetRow,
        row: &Row,
        first: usize,
    ) -> Result<Seen, Error> {
        let mut same = true;
        for (n, &i) in self.columns.iter().enumerate() {
            same &= match (&expected.cells[i], raw(row, first + n)?) {
                (Cell::Missing, _) | (Cell::Null, None) => true,
                (Cell::Text(cell), Some(bytes)) => cell.as_bytes() == bytes,
                _ => false,
            };
        }
        if same {
            return Ok(Seen::Same);
        }
        let mut cells = vec![Cell::Missing; into.columns.len()];
        for (n, &i) in self.columns.iter().enumerate() {
            cells[i] = match (&expected.cells[i], text(row, first + n)?) {
                (_, None) => Cell::Null,
                (Cell::Text(cell), Some(text)) if cell == text => Cell::Text(cell.clone()),
                (_, Some(text)) => {
                    let canonical = canonical(text, &into.columns[i].ty);
                    Cell::Text(canonical.map_or_else(|_| text.into(), |text| text.into()))
                }
            };
        }
        let mut both = expected.cells.iter().zip(&cells).enumerate();
        if both.all(|(i, (expected, cell))| !is_compared(into, i, expected) || cell == expected) {
            return Ok(Seen::Same);
        }
        Ok(Seen::Other(Box::new(Found::of_values(cells.into()))))
    }
}

/// What the server takes for one value, printed in another way, is none that differs.
async fn add_alike(
    client: &Client,
    mapping: &Mapping,
    rows: &[&TargetRow],
    sights: &mut Sights,
) -> Result<(), Error> {
    let mut others: HashMap<(usize, RowKey), Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        if let Seen::Other(_) = sights.seen[place] {
            let id = (row.into, row.key.clone());
            others.entry(id).or_default().push(place);
        }
    }
    let cells = |id: &(usize, RowKey)| {
        let place = *others.get(id)?.first()?;
        match &sights.seen[place] {
            Seen::Other(found) => Some(&found.cells),
            _ => None,
        }
    };
    let differing: Vec<&TargetRow> = others.values().flatten().map(|&at| rows[at]).collect();
    let alike = printed::alike(client, mapping, differing.into_iter(), cells).await?;
    for alike in alike {
        for &place in others.get(&alike.row).into_iter().flatten() {
            if let Seen::Other(found) = &mut sights.seen[place] {
                found.alike.push((alike.column, alike.ours.clone()));
            }
        }
    }
    Ok(())
}

/// The bytes of a text as they came.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }
}

fn raw(row: &Row, at: usize) -> Result<Option<&[u8]>, Error> {
    let raw: Option<Raw<'_>> = row.try_get(at)?;
    Ok(raw.map(|raw| raw.0))
}

fn text(row: &Row, at: usize) -> Result<Option<&str>, Error> {
    row.try_get(at)
}
