//! All lines under a cart's header, those that nobody mapped among them: foreign lines, lines that are
//! there twice, quantities out of bounds.
//!
//! Most carts are told by their number of lines and by the least and the greatest quantity; only where
//! these are not as expected are the lines themselves read.

use std::collections::{HashMap, HashSet};

use super::super::report::{Difference, Kind};
use super::{Subject, written};
use crate::cart::image::Cell;
use crate::mapping::map::{MAX_GHOSTS, TargetRow};
use crate::mapping::plan::{Into, Line, Lock, Mapping};
use crate::target::beside::{self, Normal, Wanted};
use crate::target::error::TargetError;
use crate::target::seen::{Lines, Sights};
use crate::target::session::Target;

pub(super) struct Look<'a> {
    pub target: &'a Target,
    pub mapping: &'a Mapping,
    pub pipeline: i32,
    pub min_quantity: i64,
    pub subjects: &'a [Subject<'a>],
    /// Carts whose lines are read in any case.
    pub suspects: &'a [bool],
    pub sights: &'a Sights,
}

/// A line under the header of a cart, whoever wrote it.
struct Found {
    /// Place of its cart.
    at: usize,
    key: Normal,
    product: Option<String>,
    quantity: Option<String>,
    /// Place of the row that cartage knows, in [`Subject::known`].
    ours: Option<usize>,
}

impl Look<'_> {
    pub async fn run(&self, found: &mut [Vec<Difference>]) -> Result<(), TargetError> {
        let mut done = HashSet::new();
        for (index, into) in self.mapping.intos.iter().enumerate() {
            let Some(line) = into.line.as_ref().filter(|line| !line.cart.is_empty()) else {
                continue;
            };
            // One table may be filled by several `[[into]]`s: its lines are looked at once.
            if done.insert((&into.schema, &into.table)) {
                self.table(index, into, line, found).await?;
            }
        }
        Ok(())
    }

    async fn table(
        &self,
        index: usize,
        into: &Into,
        line: &Line,
        found: &mut [Vec<Difference>],
    ) -> Result<(), TargetError> {
        let of_table: HashSet<usize> = (0..self.mapping.intos.len())
            .filter(|&i| {
                let other = &self.mapping.intos[i];
                (&other.schema, &other.table) == (&into.schema, &into.table)
            })
            .collect();
        let counted;
        let lines = match self.sights.lines(index) {
            Some(lines) => lines,
            None => {
                counted = self.count(into, line).await?;
                &counted
            }
        };
        let mut close = Vec::new();
        for (at, (subject, lines)) in self.subjects.iter().zip(lines).enumerate() {
            let known = subject.known().zip(self.sights.cart(at));
            let known = known.filter(|(row, seen)| seen.is_there() && of_table.contains(&row.into));
            let named = || self.names(line, at).is_some();
            if (self.suspects[at] || lines.out || lines.rows != known.count()) && named() {
                close.push(at);
            }
        }
        let lines = self.read(index, into, line, &of_table, &close).await?;
        self.bounds(index, line, &lines, found);
        let twice = self
            .twice(index, into, line, &of_table, &lines, found)
            .await?;
        self.foreign(index, &lines, &twice, found).await
    }

    /// The lines of each cart, counted by the server.
    async fn count(&self, into: &Into, line: &Line) -> Result<Vec<Lines>, TargetError> {
        let mut lines = vec![Lines::default(); self.subjects.len()];
        let carts: Vec<usize> = (0..self.subjects.len())
            .filter(|&at| self.names(line, at).is_some())
            .collect();
        let wanted = self.under(into, line, &carts);
        for count in beside::counts(self.target, &wanted, &line.quantity).await? {
            let Some(&at) = carts.get(count.nth) else {
                continue;
            };
            let bounds = [&count.least, &count.most].into_iter().flatten();
            let mut bounds = bounds.filter_map(|text| text.parse::<f64>().ok());
            lines[at] = Lines {
                rows: count.rows,
                out: bounds.any(|quantity| line.is_out(self.min_quantity, quantity)),
            };
        }
        Ok(lines)
    }

    /// What the lines of a cart have in the columns that name it.
    fn names<'n>(&'n self, line: &Line, at: usize) -> Option<Vec<&'n str>> {
        line.names(self.mapping, self.subjects[at].header.as_ref()?)
    }

    /// The lines of these carts.
    fn under<'w>(&'w self, into: &'w Into, line: &'w Line, carts: &[usize]) -> Wanted<'w> {
        let values = carts.iter().map(|&at| self.names(line, at));
        let values = values.map(Option::unwrap_or_default);
        line.under(into, values.collect())
    }

    async fn read(
        &self,
        index: usize,
        into: &Into,
        line: &Line,
        of_table: &HashSet<usize>,
        carts: &[usize],
    ) -> Result<Vec<Found>, TargetError> {
        let keys = into.key.iter().map(|key| key.name.as_str());
        let rest = [line.product.as_str(), line.quantity.as_str()];
        let read: Vec<&str> = keys.chain(rest).collect();
        let wanted = self.under(into, line, carts);
        let rows = beside::rows(self.target, &wanted, &read).await?;
        let mut known: HashMap<(usize, Normal), usize> = HashMap::new();
        for &at in carts {
            let rows: Vec<(usize, &TargetRow)> = self.subjects[at]
                .known()
                .enumerate()
                .filter(|(_, row)| of_table.contains(&row.into))
                .filter(|(_, row)| row.key.len() == self.mapping.intos[index].key.len())
                .collect();
            let keys: Vec<_> = rows.iter().map(|(_, row)| &row.key).collect();
            let keys = beside::normal(self.target, into, &keys).await?;
            for ((place, _), key) in rows.into_iter().zip(keys) {
                known.insert((at, key), place);
            }
        }
        let found = rows.into_iter().filter_map(|mut row| {
            let at = *carts.get(row.nth)?;
            let quantity = row.texts.pop()?;
            let product = row.texts.pop()?;
            let parts = row
                .texts
                .iter()
                .map(|text| text.as_deref().unwrap_or_default());
            let key = into.normal(parts);
            let ours = known.get(&(at, key.clone())).copied();
            Some(Found {
                at,
                key,
                product,
                quantity,
                ours,
            })
        });
        Ok(found.collect())
    }

    fn told(&self, kind: Kind, index: usize, found: &Found) -> Difference {
        let key = found.key.iter().map(String::as_str);
        let cart = &self.subjects[found.at].cart;
        Difference::of_key(kind, self.mapping, cart, index, key)
    }

    /// `map` never caps: what is too much in the source is the source's.
    fn bounds(&self, index: usize, line: &Line, lines: &[Found], found: &mut [Vec<Difference>]) {
        for there in lines {
            let number = there.quantity.as_deref().and_then(|text| text.parse().ok());
            if !number.is_some_and(|quantity| line.is_out(self.min_quantity, quantity)) {
                continue;
            }
            let row = there
                .ours
                .and_then(|at| self.subjects[there.at].known().nth(at));
            let given = row.and_then(|row| self.cell(row, &line.quantity)?.text());
            // A merge has its own cap, and does not lower what the new backend has put there.
            if self.subjects[there.at].merged && given != there.quantity.as_deref() {
                continue;
            }
            let kind = match given.is_some() && given == there.quantity.as_deref() {
                true => Kind::QuantityOfSource,
                false => Kind::QuantityOutOfBounds,
            };
            let mut told = self.told(kind, index, there);
            told.column = Some(line.quantity.clone());
            told.source = given.map(str::to_owned);
            told.target.clone_from(&there.quantity);
            found[there.at].push(told);
        }
    }

    fn cell<'r>(&self, row: &'r TargetRow, column: &str) -> Option<&'r Cell> {
        let columns = &self.mapping.intos[row.into].columns;
        row.cells
            .get(columns.iter().position(|c| c.name == column)?)
    }

    /// Lines that are the same line by the server's word, more of them than the source has. Returns
    /// the places of those that are told.
    async fn twice(
        &self,
        index: usize,
        into: &Into,
        line: &Line,
        of_table: &HashSet<usize>,
        lines: &[Found],
        found: &mut [Vec<Difference>],
    ) -> Result<HashSet<usize>, TargetError> {
        let mut told = HashSet::new();
        let each: Vec<(usize, &Found)> = lines.iter().enumerate().collect();
        let carts: Vec<usize> = lines.iter().map(|line| line.at).collect();
        let mut wanted = self.under(into, line, &carts);
        wanted.columns.push(&line.product);
        let mut asked = Vec::new();
        let mut values = Vec::new();
        for (list, (place, there)) in wanted.values.into_iter().zip(each) {
            if let Some(product) = there.product.as_deref() {
                let mut list = list;
                list.push(product);
                values.push(list);
                asked.push(place);
            }
        }
        wanted.values = values;
        let keys: Vec<&str> = into.key.iter().map(|key| key.name.as_str()).collect();
        let mut same: HashMap<usize, Vec<Normal>> = HashMap::new();
        for row in beside::rows(self.target, &wanted, &keys).await? {
            let parts = row
                .texts
                .iter()
                .map(|text| text.as_deref().unwrap_or_default());
            if let Some(&place) = asked.get(row.nth) {
                same.entry(place).or_default().push(into.normal(parts));
            }
        }
        let places: HashMap<(usize, &Normal), usize> = lines
            .iter()
            .enumerate()
            .map(|(place, line)| ((line.at, &line.key), place))
            .collect();
        for (&place, group) in &same {
            let there = &lines[place];
            let group: Vec<usize> = group
                .iter()
                .filter_map(|key| places.get(&(there.at, key)).copied())
                .collect();
            let subject = &self.subjects[there.at];
            let products: HashSet<&str> = group
                .iter()
                .filter_map(|&p| lines[p].product.as_deref())
                .collect();
            let given = subject
                .rows
                .iter()
                .filter(|row| of_table.contains(&row.into));
            let given = given.filter_map(|row| self.cell(row, &line.product)?.text());
            let given = given.filter(|product| products.contains(product)).count();
            let ours = group.iter().any(|&p| lines[p].ours.is_some());
            // Of a pair, the one that nobody mapped is the one too many.
            let foreign = group.iter().any(|&p| lines[p].ours.is_none());
            let first = group.iter().min() == Some(&place);
            let extra = match foreign {
                true => there.ours.is_none(),
                false => !first,
            };
            if group.len() > given.max(1) && ours && extra {
                let mut difference = self.told(Kind::DuplicateLines, index, there);
                difference.column = Some(line.product.clone());
                difference.target.clone_from(&there.product);
                found[there.at].push(difference);
                told.insert(place);
            }
        }
        Ok(told)
    }

    /// Lines that nobody mapped, in carts that are not merged. Where the header's lock counts more than
    /// our patches they are taken for the new backend's own.
    async fn foreign(
        &self,
        index: usize,
        lines: &[Found],
        twice: &HashSet<usize>,
        found: &mut [Vec<Difference>],
    ) -> Result<(), TargetError> {
        let foreign: Vec<&Found> = lines
            .iter()
            .enumerate()
            .filter(|(place, line)| line.ours.is_none() && !twice.contains(place))
            .map(|(_, line)| line)
            .filter(|line| !self.subjects[line.at].merged)
            .collect();
        let mut carts: Vec<usize> = foreign.iter().map(|line| line.at).collect();
        carts.sort_unstable();
        carts.dedup();
        let written = self.written(&carts).await?;
        for line in foreign {
            let kind = match written.contains(&line.at) {
                true => Kind::OwnLines,
                false => Kind::ForeignLines,
            };
            let mut told = self.told(kind, index, line);
            told.target.clone_from(&line.product);
            found[line.at].push(told);
        }
        Ok(())
    }

    /// Those of the carts whose header the new backend has written at some time, for all that a lock
    /// tells which counts our patches; and those of which so many rows were kept by an end that the
    /// oldest are forgotten, and are nobody's any more.
    async fn written(&self, carts: &[usize]) -> Result<HashSet<usize>, TargetError> {
        let forgotten = |at: &usize| {
            let kept = self.subjects[*at].rows.iter();
            kept.filter(|row| row.origin.is_none()).count() as u64 >= MAX_GHOSTS
        };
        let mut written: HashSet<usize> = carts.iter().copied().filter(forgotten).collect();
        let counts = |at: &usize| {
            let header = self.subjects[*at].header.as_ref();
            header
                .is_some_and(|(into, _)| matches!(self.mapping.intos[*into].lock, Lock::Counter(_)))
        };
        let carts: Vec<usize> = carts.iter().copied().filter(counts).collect();
        let subjects: Vec<&Subject<'_>> = carts.iter().map(|&at| &self.subjects[at]).collect();
        let headers = written::headers(self.target, self.mapping, &subjects).await?;
        let patches = written::patches(self.target, self.pipeline, &subjects).await?;
        written.extend(carts.into_iter().filter(|&at| {
            let subject = &self.subjects[at];
            let header = subject.header.as_ref().and_then(|key| headers.get(key));
            let token = header.and_then(|row| row.token.as_deref()?.parse::<i64>().ok());
            let ours = patches.get(subject.cart.as_str()).copied();
            token.zip(ours).is_some_and(|(token, ours)| token > ours)
        }));
        Ok(written)
    }
}
