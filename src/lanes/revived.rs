//! A cart that is deleted in the source and was in the target, and whose header is there again, behind
//! cartage's back: a repair by hand takes it out with its lines. The ledger knows none of its rows by
//! now, so they are found by the header's key.

use super::lane::{Lane, LaneError};
use super::mend::{Mend, Outcome};
use super::sight::row_of;
use super::unit::Unit;
use crate::mapping::difference::{Patch, RowOp, RowWrite};
use crate::mapping::header::HeaderKey;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Role};
use crate::repair::{Repair, document};
use crate::target::beside::{self, Wanted};
use crate::target::found::{self, Ask, FoundRows};
use crate::target::writer::WriteError;

impl Lane {
    pub(super) async fn take_out(
        &self,
        unit: &mut Unit,
        repair: Repair,
        header: HeaderKey,
    ) -> Result<Mend, LaneError> {
        let mapper = &self.mappers.current;
        let (target, mapping) = (self.writer.target(), &mapper.mapping);
        if self.state(std::slice::from_ref(&header)).await?.is_empty() {
            return Ok(Mend::of(Outcome::Refreshed));
        }
        if !repair.restore_deleted {
            return Ok(Mend::refused(
                "it is deleted in the source, and in the target again; a repair by hand takes it out",
            ));
        }
        let mut rows = Vec::new();
        for (index, into) in mapping.intos.iter().enumerate() {
            let Some(wanted) = lines_of(into, &mapping.intos[header.0], &header.1) else {
                continue;
            };
            let key: Vec<&str> = into.key.iter().map(|key| key.name.as_str()).collect();
            let lines = beside::rows(target, &wanted, &key).await;
            for line in lines.map_err(WriteError::from)? {
                let parts: Option<Vec<Box<str>>> = line
                    .texts
                    .into_iter()
                    .map(|text| text.map(String::into_boxed_str))
                    .collect();
                rows.extend(parts.map(|parts| (index, RowKey::from(parts))));
            }
        }
        rows.push(header);
        let found = self.state(&rows).await?;
        let mut writes = Vec::new();
        for (index, key) in &rows {
            let Some(there) = found.get(&(*index, key.clone())) else {
                continue;
            };
            writes.push(RowWrite {
                into: mapping.intos[*index].clone(),
                index: Some(*index),
                key: key.clone(),
                op: RowOp::Delete {
                    old: there.cells.clone(),
                },
                token: there.token.clone(),
            });
        }
        let back = writes.len();
        let patch = Patch {
            writes,
            own: Vec::new(),
            moves: false,
        };
        unit.ordinary = Some(std::mem::replace(&mut unit.patch, patch));
        unit.is_read = true;
        Ok(Mend {
            before: Some(document::of(mapping, &found)),
            rows,
            outcome: Outcome::Mended { back, yielded: 0 },
        })
    }

    async fn state(&self, rows: &[(usize, RowKey)]) -> Result<FoundRows, LaneError> {
        let mapper = &self.mappers.current;
        let rows: Vec<TargetRow> = rows.iter().map(|id| row_of(mapper, id)).collect();
        let (target, mapping) = (self.writer.target(), &mapper.mapping);
        let found = found::find(target, mapping, rows.iter(), Ask::State).await;
        Ok(found.map_err(WriteError::from)?)
    }
}

/// The lines of this table that are under a header. None where its key does not name them.
fn lines_of<'a>(into: &'a Into, header: &'a Into, key: &'a RowKey) -> Option<Wanted<'a>> {
    let line = into.line.as_ref().filter(|line| !line.cart.is_empty())?;
    if into.role != Role::Line {
        return None;
    }
    let part = |name: &str| {
        let at = header.key.iter().position(|column| column.name == name)?;
        key.get(at).map(|part| &**part)
    };
    let values: Option<Vec<&str>> = line.cart.iter().map(|(_, named)| part(named)).collect();
    Some(Wanted {
        into,
        columns: line
            .cart
            .iter()
            .map(|(column, _)| column.as_str())
            .collect(),
        values: vec![values?],
    })
}
