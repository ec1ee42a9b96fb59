//! Which carts come next, read from the source: portion by portion, each with where to go on after it.

use super::look::Looker;
use super::since;
use super::{CHUNK, Verifier, VerifyError};
use crate::cart::key::CartKey;
use crate::hash::HashSet;
use crate::lanes::item::Read;
use crate::params;
use crate::source::change::Lsn;
use crate::switch::{self, Bound, Mutant};

/// Carts of the ledger of which the source is asked at once whether it has them live.
const PROBED: usize = 4 * CHUNK;
/// Carts of the source of which is asked at once when they have changed.
const DATED: usize = 5 * CHUNK;

/// Where carts come from.
#[derive(Debug)]
pub(super) enum Feed<'a> {
    /// A list.
    Given { carts: &'a [CartKey], chunk: usize },
    /// Those that the source has live, in the order of its keys.
    Source {
        after: Option<CartKey>,
        chunk: usize,
    },
    /// Those that the source has, live or not, and that have changed since.
    Since { after: Option<CartKey>, since: i64 },
    /// Those of the ledger that the source does not have live, or that moved after `start`: it may
    /// have had them live, or not, when the walk over its keys passed them.
    Ledger { after: Option<CartKey>, start: Lsn },
}

/// Carts as they were just read.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub reads: Vec<Read>,
    /// Rows read of them.
    pub rows: u64,
    /// Keys that were asked about to find them.
    pub probed: u64,
    /// Where to go on.
    pub cursor: Option<CartKey>,
    /// Those of the ledger that the walk over the source's keys may have counted.
    pub met: HashSet<CartKey>,
}

impl<'a> Feed<'a> {
    pub fn of(carts: &'a [CartKey]) -> Self {
        Self::Given {
            carts,
            chunk: chunk(),
        }
    }

    pub fn source(after: Option<CartKey>) -> Self {
        Self::Source {
            after,
            chunk: chunk(),
        }
    }

    pub fn since(after: Option<CartKey>, since: i64) -> Self {
        Self::Since { after, since }
    }

    pub fn ledger(after: Option<CartKey>, start: Lsn) -> Self {
        Self::Ledger { after, start }
    }

    /// The next portion; none when all have come.
    pub async fn next(&mut self, look: &Looker<'_>) -> Result<Option<Portion>, VerifyError> {
        match self {
            Self::Given { carts, chunk } => given(look, carts, *chunk).await,
            Self::Source { after, chunk } => from_source(look, after, *chunk).await,
            Self::Since { after, since } => changed(look, after, *since).await,
            Self::Ledger { after, start } => from_ledger(look, after, *start).await,
        }
    }
}

fn chunk() -> usize {
    let chunk = switch::bound(Bound::VerifyChunk, CHUNK as u64);
    usize::try_from(chunk).unwrap_or(CHUNK).max(1)
}

async fn given(
    look: &Looker<'_>,
    carts: &mut &[CartKey],
    chunk: usize,
) -> Result<Option<Portion>, VerifyError> {
    if carts.is_empty() {
        return Ok(None);
    }
    let (now, later) = carts.split_at(chunk.min(carts.len()));
    *carts = later;
    let (reads, rows) = look.read(now).await?;
    Ok(Some(Portion {
        reads,
        rows,
        ..Portion::default()
    }))
}

async fn from_source(
    look: &Looker<'_>,
    after: &mut Option<CartKey>,
    chunk: usize,
) -> Result<Option<Portion>, VerifyError> {
    let Verifier { source, mapper, .. } = look.verifier;
    let mapping = &mapper.mapping;
    let next = source.next_keys(
        &mapping.layout,
        mapping.live.as_ref(),
        after.as_ref(),
        chunk,
    );
    let keys = next.await?;
    let Some(last) = keys.last() else {
        return Ok(None);
    };
    *after = Some(last.clone());
    let (reads, rows) = look.read(&keys).await?;
    Ok(Some(Portion {
        reads,
        rows,
        cursor: after.clone(),
        ..Portion::default()
    }))
}

async fn changed(
    look: &Looker<'_>,
    after: &mut Option<CartKey>,
    since: i64,
) -> Result<Option<Portion>, VerifyError> {
    let Verifier { source, mapper, .. } = look.verifier;
    let mapping = &mapper.mapping;
    let dated = Some(mapping.changed_at.ok_or(VerifyError::Undated)?);
    let live = mapping.live.as_ref();
    let passed = source.peek(&mapping.layout, live, dated, after.as_ref(), DATED);
    let passed = passed.await?;
    let Some(last) = passed.last() else {
        return Ok(None);
    };
    *after = Some(last.cart.clone());
    let probed = passed.len() as u64;
    let carts: Vec<CartKey> = passed
        .into_iter()
        .filter(|cart| since::is_later(cart.changed_at.as_deref(), mapping.time_zone, since))
        .map(|cart| cart.cart)
        .collect();
    let (reads, rows) = look.read(&carts).await?;
    Ok(Some(Portion {
        reads,
        rows,
        probed,
        cursor: after.clone(),
        ..Portion::default()
    }))
}

async fn from_ledger(
    look: &Looker<'_>,
    after: &mut Option<CartKey>,
    start: Lsn,
) -> Result<Option<Portion>, VerifyError> {
    if switch::mutant(Mutant::LedgerUnwalked) {
        return Ok(None);
    }
    let Verifier {
        source,
        target,
        pipeline,
        mapper,
        ..
    } = look.verifier;
    let rows = target
        .query(
            "SELECT cart, lsn > $3 FROM cartage.ledger WHERE pipeline = $1 AND cart > $2 \
             ORDER BY cart LIMIT $4",
            params![
                *pipeline,
                after.as_ref().map_or("", CartKey::as_str),
                start,
                PROBED as i64
            ],
        )
        .await?;
    let mut known = Vec::with_capacity(rows.len());
    for row in &rows {
        known.push((CartKey::stored(&row.get::<String>(0)?), row.get::<bool>(1)?));
    }
    let Some((last, _)) = known.last() else {
        return Ok(None);
    };
    *after = Some(last.clone());
    let mapping = &mapper.mapping;
    let columns = mapping.layout.named_in().1.len();
    let values = known.iter().filter_map(|(cart, _)| cart.values());
    let values: Vec<Vec<String>> = values.filter(|values| values.len() == columns).collect();
    let live = source.live_among(&mapping.layout, mapping.live.as_ref(), &values);
    let live: HashSet<CartKey> = live.await?.into_iter().collect();
    let probed = known.len() as u64;
    let met = known.iter().filter(|(_, moved)| *moved);
    let met: HashSet<CartKey> = met.map(|(cart, _)| cart.clone()).collect();
    let carts: Vec<CartKey> = known
        .into_iter()
        .filter(|(cart, moved)| *moved || !live.contains(cart))
        .map(|(cart, _)| cart)
        .collect();
    let (reads, rows) = look.read(&carts).await?;
    Ok(Some(Portion {
        reads,
        rows,
        probed,
        cursor: after.clone(),
        met,
    }))
}
