//! What is remembered of the source, compared with what it is now; and what the reader of its log is
//! to know beforehand.

use tracing::{info, warn};

use super::gtid::GtidSet;
use super::identity::{self, Facts, Remembered};
use super::place::{Base, FIRST, Place};
use super::session::Session;
use super::stream::Mark;
use super::tables::LogTables;
use crate::cart::layout::Layout;
use crate::mysql::connect::Flavor;
use crate::source::change::Lsn;
use crate::source::error::IdentityError;
use crate::source::identity::{Channel, Lineage, Verified};
use crate::source::standing::Pressure;
use crate::target::control::pipeline::PipelineRow;

/// What it takes to open the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub server: String,
    pub base: Base,
    pub folds_names: bool,
    /// The transactions before the place where reading begins, or some of them.
    pub passed: Option<GtidSet>,
    /// When the file in which reading begins was begun, if that is known.
    pub born: Option<u32>,
    /// The fingerprint of the mapping's tables as they were where reading begins.
    pub tables: Option<String>,
}

impl Origin {
    /// What is to be remembered once everything before the mark is safe.
    pub fn remembers(&self, mark: &Mark) -> Remembered {
        Remembered::of(&self.server, &self.base, mark)
    }
}

/// The pipeline's memory of its source.
fn remembered(pipeline: &PipelineRow) -> Result<Remembered, IdentityError> {
    let state = pipeline.publication_state.clone();
    state
        .and_then(|state| serde_json::from_value(state).ok())
        .ok_or_else(|| IdentityError::NotSetUp(pipeline.name.clone()))
}

/// What there is to remember where reading begins at the log's end: with the mapping's tables as they
/// are there, if that is known.
pub fn at_end(facts: &Facts, tables: Option<&LogTables>) -> Remembered {
    let mark = Mark {
        at: facts.end,
        passed: facts.passed.clone(),
        born: None,
        tables: tables.map(|tables| tables.fingerprint().into()),
    };
    Remembered::of(&facts.server, &facts.base, &mark)
}

pub async fn verify(
    session: &Session,
    pipeline: &PipelineRow,
    layout: &Layout,
) -> Result<Verified, IdentityError> {
    let facts = session.facts().await?;
    facts.filters.verify(layout)?;
    let first = facts.files.first().map_or(0, |(file, _)| *file);
    Ok(Verified {
        lineage: Lineage {
            system: facts.server,
            timeline: None,
        },
        kept_from: Place::at(first, FIRST).lsn(),
        state: serde_json::to_value(remembered(pipeline)?).unwrap_or_default(),
        // Whatever alters a table is in the log.
        changes: Vec::new(),
    })
}

/// Whether the log goes on from the checkpoint.
pub async fn goes_on(
    session: &Session,
    pipeline: &PipelineRow,
    checkpoint: Lsn,
) -> Result<Channel, IdentityError> {
    let facts = session.facts().await?;
    let remembered = remembered(pipeline)?;
    identity::verify(&facts, session.flavor, &remembered, checkpoint)?;
    let passed = match session.flavor {
        Flavor::MariaDb => Some(session.passed(&facts.base, checkpoint).await?),
        // Those of the mark are some of them, and no other is taken for one.
        Flavor::MySql if facts.passed.is_some() => remembered
            .passed(session.flavor)
            .map_err(identity::IdentityError::from)?,
        Flavor::MySql => None,
    };
    let same_file = Place::of(Lsn(remembered.at)).file == Place::of(checkpoint).file;
    Ok(Channel::Mysql(Origin {
        server: facts.server,
        base: facts.base,
        folds_names: facts.folds_names,
        passed,
        born: remembered.born.filter(|_| same_file),
        tables: remembered.tables,
    }))
}

/// Warns of a log that is about to be removed, once each time that it comes nearer.
pub async fn headroom(
    session: &Session,
    from: Lsn,
    before: Pressure,
) -> Result<Pressure, IdentityError> {
    if from == Lsn::default() {
        // Nothing is confirmed yet, since the daemon has only just begun.
        return Ok(before);
    }
    let room = session.headroom(from).await?;
    let pressure = match room.bytes_left() {
        _ if room.lost => Pressure::Unreserved,
        Some(left) if left < room.limit.unwrap_or_default() / 4 => Pressure::Low,
        _ => Pressure::None,
    };
    let (retained, files) = (room.retained, room.total);
    match pressure {
        Pressure::None if before != Pressure::None => {
            info!(retained, files, "the source's log has room again");
        }
        Pressure::Low if before < Pressure::Low => warn!(
            retained,
            files,
            "less than a quarter of the log that the source keeps is left (in bytes): it is removed \
             after that; find out what holds the pipeline back, or raise max_binlog_total_size"
        ),
        Pressure::Unreserved if before < Pressure::Unreserved => warn!(
            retained,
            "the source has removed log that is not applied yet: a daemon that starts anew would \
             not find its place; find out what holds the pipeline back, and raise \
             binlog_expire_logs_seconds on the source"
        ),
        _ => {}
    }
    Ok(pressure)
}
