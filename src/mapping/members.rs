//! Target rows that are not simply one for each source row: elements of payloads, and groups.

use std::collections::HashMap;

use super::expr::{EvalError, Member, Parts};
use super::map::{MapError, Mapper, RowKey, TargetRow};
use super::plan::Into;
use super::row::{At, failed, row_cells, row_key};
use crate::cart::image::{Cells, Image, Life, Moment, Row};
use crate::hash::HashMap as Fast;

impl Mapper {
    /// The target rows of such an `[[into]]`, in no order.
    pub(super) fn shaped(&self, image: &Image, index: usize) -> Result<Vec<TargetRow>, MapError> {
        let into = &self.mapping.intos[index];
        let mut rows = Vec::new();
        for mut members in self.gathered(image, into)? {
            let Some((first, at)) = members.first().map(|m| (m.row, m.at)) else {
                continue;
            };
            let probing = image.answers.is_probe();
            let key = match row_key(into, &self.at(image, into, &members, first), None) {
                Err(why) if why.is_skip() || probing => continue,
                key => key?,
            };
            if let ([member], true) = (members.as_mut_slice(), keeps_moments(into)) {
                member.stamp = image.moment(index, &key).unwrap_or(member.stamp);
            }
            let cells = match row_cells(into, &self.at(image, into, &members, first), None, None) {
                Err(why) if why.is_skip() || probing => continue,
                cells => cells?,
            };
            rows.push(TargetRow {
                into: index,
                cells,
                origin: Some((into.per, at)),
                key,
            });
        }
        Ok(rows)
    }

    /// What stands behind a target row in an image: none where the image no longer gives it.
    pub(super) fn behind<'a>(&self, image: &'a Image, row: &TargetRow) -> Vec<Member<'a>> {
        let into = &self.mapping.intos[row.into];
        if into.shape.is_plain() {
            let origin = row.origin.or_else(|| self.origin(image, row));
            let found =
                origin.and_then(|(table, at)| Some((image.tables.get(table)?.get(at)?, at)));
            let member = found.map(|(row, at)| Member {
                row,
                at,
                element: None,
                stamp: row.stamp,
            });
            return member.into_iter().collect();
        }
        let gathered = self.gathered(image, into).unwrap_or_default();
        let is = |members: &Vec<Member<'_>>| {
            let first = members.first().map(|member| member.row);
            let key = first.map(|first| row_key(into, &self.at(image, into, members, first), None));
            key.is_some_and(|key| key.is_ok_and(|key| key == row.key))
        };
        gathered.into_iter().find(is).unwrap_or_default()
    }

    /// Where expressions are evaluated for the target row that stands for these members, of which
    /// the first one is of this row.
    pub(super) fn at<'a>(
        &'a self,
        image: &'a Image,
        into: &Into,
        members: &'a [Member<'a>],
        row: &'a Row,
    ) -> At<'a> {
        let first = members.first();
        let stamp = members.iter().map(|member| member.stamp).max();
        At {
            env: self.env(
                image,
                first.map_or(row, |m| m.row),
                stamp.unwrap_or_default(),
            ),
            parts: Parts {
                element: first.and_then(|member| member.element.as_ref()),
                group: (!into.shape.group.is_empty()).then_some(members),
            },
        }
    }

    /// The members of each target row: those that pass `where`, by group where there are groups.
    fn gathered<'a>(
        &self,
        image: &'a Image,
        into: &Into,
    ) -> Result<Vec<Vec<Member<'a>>>, MapError> {
        let mut gathered: Vec<Vec<Member<'a>>> = Vec::new();
        let mut groups: Fast<Vec<Option<String>>, usize> = Fast::default();
        for member in self.members(image, into)? {
            let env = self.env(image, member.row, member.stamp);
            let parts = Parts {
                element: member.element.as_ref(),
                group: None,
            };
            if let Some(filter) = &into.filter {
                match filter.evaluate_shaped(&env, parts) {
                    Ok(passes) if passes.is_true() => {}
                    Ok(_) | Err(EvalError::Skip) => continue,
                    Err(why) => return Err(failed(into, "where", why)),
                }
            }
            if into.shape.group.is_empty() {
                gathered.push(vec![member]);
                continue;
            }
            let texts = into
                .shape
                .group
                .iter()
                .map(|expr| expr.group_text(&env, parts));
            let texts = texts.collect::<Result<Vec<_>, _>>();
            let texts = unless_skipped(texts.map_err(|why| failed(into, "group", why)))?;
            let Some(texts) = texts else {
                continue;
            };
            let place = *groups.entry(texts).or_insert(gathered.len());
            match gathered.get_mut(place) {
                Some(members) => members.push(member),
                None => gathered.push(vec![member]),
            }
        }
        Ok(gathered)
    }

    /// The source rows, or the elements of their payloads.
    fn members<'a>(&self, image: &'a Image, into: &Into) -> Result<Vec<Member<'a>>, MapError> {
        let mut members = Vec::new();
        for (at, row) in image.tables[into.per].iter().enumerate() {
            let member = |element| Member {
                row,
                at,
                element,
                stamp: row.stamp,
            };
            let Some(payload) = &into.shape.payload else {
                members.push(member(None));
                continue;
            };
            let elements = payload.elements(&self.env(image, row, row.stamp));
            let elements = elements.map_err(|why| failed(into, "per", why))?;
            members.extend(elements.into_iter().map(|element| member(Some(element))));
        }
        Ok(members)
    }

    /// When each element of the cart's payloads was last changed, where that is not when its row
    /// was: what it maps to is as it was in the image before.
    pub(super) fn moments(&self, before: &Image, now: &Image) -> Vec<Moment> {
        let mut moments = Vec::new();
        for (index, into) in self.mapping.intos.iter().enumerate() {
            if !keeps_moments(into) || now.life != Life::Live {
                continue;
            }
            let known = self.elements(before, index);
            for (key, (cells, stamp)) in self.elements(now, index) {
                let same = known.get(&key).filter(|(before, _)| *before == cells);
                let then = same.map(|(_, stamp)| before.moment(index, &key).unwrap_or(*stamp));
                let Some(then) = then.filter(|then| *then != stamp) else {
                    continue;
                };
                moments.push(Moment {
                    into: index,
                    key,
                    stamp: then,
                });
            }
        }
        moments.sort_by(|a, b| (a.into, &a.key).cmp(&(b.into, &b.key)));
        moments
    }

    /// Each element by the key of its target row: what it maps to but for its moment, and the moment
    /// of its row.
    fn elements(&self, image: &Image, index: usize) -> HashMap<RowKey, (Cells, i64)> {
        let into = &self.mapping.intos[index];
        let mut found = HashMap::new();
        for mut members in self.gathered(image, into).unwrap_or_default() {
            let Some(row) = members.first().map(|member| member.row) else {
                continue;
            };
            let Ok(key) = row_key(into, &self.at(image, into, &members, row), None) else {
                continue;
            };
            let [member] = members.as_mut_slice() else {
                continue;
            };
            let stamp = std::mem::take(&mut member.stamp);
            if let Ok(cells) = row_cells(into, &self.at(image, into, &members, row), None, None) {
                found.insert(key, (cells, stamp));
            }
        }
        found
    }
}

/// None where an expression leaves the row out.
fn unless_skipped<T>(given: Result<T, MapError>) -> Result<Option<T>, MapError> {
    match given {
        Err(why) if why.is_skip() => Ok(None),
        given => given.map(Some),
    }
}

/// The moments of its elements are seen in its rows.
fn keeps_moments(into: &Into) -> bool {
    let mut columns = into
        .columns
        .iter()
        .filter_map(|column| column.expr.as_ref());
    let elements = into.shape.payload.is_some() && into.shape.group.is_empty();
    elements && columns.any(|expr| expr.depends().on_stamp())
}

#[cfg(test)]
mod tests;
