//! Is this still the log that the checkpoint speaks of? Asked at every start, before a byte is read.

use tokio_postgres::types::Oid;
use tokio_postgres::{Client, Error};

use super::publication::{self, Publication};
use super::slot::{self, Slot};
use super::tables::{Leaf, quoted, quoted_name, writers};
use crate::cart::layout::{Layout, Table};
use crate::postgres::connect::ConnectError;
use crate::postgres::fault::{self, Fault};
use crate::postgres::wire::ServerError;
use crate::source::change::Lsn;
use crate::source::error::Lack;
use crate::source::identity::Unseen;
use crate::switch::{self, Mutant};
use crate::target::control::pipeline::PipelineRow;

/// A source that may be read on from the checkpoint.
#[derive(Clone, Debug)]
pub struct Verified {
    pub system: String,
    /// Later than the stored one after a promotion.
    pub timeline: i32,
    pub slot: Slot,
    pub confirmed: Lsn,
    /// To be stored with the pipeline, once `changes` are dealt with.
    pub publication_state: serde_json::Value,
    /// Tables that may have changed unseen since the state was last stored.
    pub changes: Vec<Unseen>,
}

/// Each message names the object, and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the source could not be asked for its identity: {}", fault::describe(.0))]
    Query(#[from] Error),
    #[error(
        "the source is a standby; the publication and the slot are on its primary: \
         name that in [source] url"
    )]
    Standby,
    #[error("the pipeline {0} has no slot yet; run: cartage setup")]
    NotSetUp(String),
    #[error(
        "the source is another cluster than the one that this pipeline was set up with (system \
         identifier {is}, was {was}); point [source] url at the old one, or, if this one replaces \
         it, run: cartage setup, which starts over here and reads every cart again \
         (refresh --all)"
    )]
    OtherSystem { was: String, is: String },
    #[error(
        "the source is on timeline {is} but this pipeline has already read timeline {was}: it is \
         the old primary, come back after a failover, or it was restored to an earlier point; stop \
         the old primary and name the new one in [source] url; or, if this one is to stay, run: \
         cartage setup, which starts over here and reads every cart again (refresh --all)"
    )]
    EarlierTimeline { was: i32, is: i32 },
    #[error(
        "the source was promoted to timeline {is} at {at}, and this pipeline had read timeline \
         {was} up to {checkpoint}: transactions of the old primary were lost in the failover, and \
         are in the target; run: cartage setup, which makes a new slot and reads every cart again \
         (refresh --all)"
    )]
    Forked {
        was: i32,
        is: i32,
        at: Lsn,
        checkpoint: Lsn,
    },
    #[error(
        "timeline {is} of the source does not come from timeline {was}, which this pipeline has \
         read; run: cartage setup, which makes a new slot and reads every cart again \
         (refresh --all)"
    )]
    OtherBranch { was: i32, is: i32 },
    #[error(
        "the source's log ends at {ends}, before the checkpoint {checkpoint}: the server was \
         restored to an earlier state, and what it writes now would be taken for read; run: \
         cartage setup, which makes a new slot and reads every cart again (refresh --all)"
    )]
    Behind { ends: Lsn, checkpoint: Lsn },
    #[error("the source does not show the history of its timeline {timeline}: {error}")]
    History { timeline: i32, error: ServerError },
    #[error("source: {0}")]
    Connect(#[from] ConnectError),
    #[error("the replication connection broke: {0}")]
    Broken(std::io::Error),
    #[error(
        "the replication slot {0} is not on the source; changes since the checkpoint are in no \
         log any more; run: cartage setup, which makes a new slot and reads every cart again \
         (refresh --all)"
    )]
    SlotMissing(String),
    #[error(
        "the replication slot {slot} is not a pgoutput slot of the database {database} (it has \
         plugin {plugin}, database {other}); drop it or rename the pipeline: \
         SELECT pg_drop_replication_slot('{slot}')"
    )]
    SlotForeign {
        slot: String,
        database: String,
        plugin: String,
        other: String,
    },
    #[error(
        "the source gave the replication slot {slot} up ({reason}): it removed log that had not \
         been read; run: cartage setup, which makes a new slot and reads every cart again \
         (refresh --all); a larger max_slot_wal_keep_size would have kept it"
    )]
    SlotLost { slot: String, reason: String },
    #[error(
        "the replication slot {slot} stands at {confirmed}, after the checkpoint {checkpoint}: it \
         was made anew or read by something else, and the changes between are lost; run: cartage \
         setup, which goes on from the slot and reads every cart again (refresh --all)"
    )]
    SlotAhead {
        slot: String,
        confirmed: Lsn,
        checkpoint: Lsn,
    },
    #[error(
        "the publication {0} is not on the source, or was not when the log was written; run: \
         cartage setup, which makes it and a new slot, and reads every cart again (refresh --all)"
    )]
    PublicationMissing(String),
    #[error(
        "the publication {publication} {what}; run on the source: {sql}; then start again: every \
         cart is read again, for changes may have passed meanwhile"
    )]
    PublicationNarrow {
        publication: String,
        what: String,
        sql: String,
    },
    #[error("the source has no table {0}; the mapping reads it")]
    TableMissing(String),
    #[error(
        "the log does not hold {columns} of the old rows of {table}, which {why}; run on the \
         source: {sql}"
    )]
    IdentityTooSmall {
        table: String,
        columns: String,
        why: &'static str,
        sql: String,
    },
}

impl IdentityError {
    /// Whether asking again may give another answer.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Query(error) => fault::of(error).without_row(),
            Self::Connect(error) => error.fault(),
            Self::Broken(_) => Fault::Retry,
            Self::History { error, .. } => fault::of_code(&error.code).0.without_row(),
            _ => Fault::Stop,
        }
    }

    /// A publication that is not whole lets changes pass. Once it is mended it looks as if it had
    /// always been whole.
    pub fn lack(&self) -> Lack {
        match self {
            Self::PublicationMissing(_) | Self::PublicationNarrow { .. } => Lack::State,
            Self::IdentityTooSmall { .. } => Lack::Rows,
            _ => Lack::Nothing,
        }
    }
}

/// The cluster behind a connection: its system identifier and the timeline that it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub system: String,
    pub timeline: i32,
    pub database: String,
}

pub async fn cluster(source: &Client) -> Result<Cluster, IdentityError> {
    let standby: bool = source
        .query_one("SELECT pg_catalog.pg_is_in_recovery()", &[])
        .await?
        .try_get(0)?;
    if standby {
        return Err(IdentityError::Standby);
    }
    // The control file's timeline is that of the last checkpoint, so it is late after a
    // promotion; the name of the segment being written is not.
    let sql = "
        SELECT s.system_identifier::text,
               ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(
                   pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::integer,
               pg_catalog.current_database()::text
        FROM pg_catalog.pg_control_system() AS s";
    let row = source.query_one(sql, &[]).await?;
    Ok(Cluster {
        system: row.try_get(0)?,
        timeline: row.try_get(1)?,
        database: row.try_get(2)?,
    })
}

impl Verified {
    /// Whether the slot still holds all that comes after the checkpoint, the least position that is
    /// durable in the target. Asked for after the slot: a daemon at work moves the checkpoint first
    /// and the slot later, so that in this order they are never found the wrong way round.
    pub fn reaches_back_to(&self, checkpoint: Lsn) -> Result<(), IdentityError> {
        reaches_back(&self.slot.name, self.confirmed, checkpoint)
    }
}

pub fn reaches_back(slot: &str, confirmed: Lsn, checkpoint: Lsn) -> Result<(), IdentityError> {
    if confirmed > checkpoint && !switch::mutant(Mutant::SlotAheadUnseen) {
        return Err(IdentityError::SlotAhead {
            slot: slot.to_owned(),
            confirmed,
            checkpoint,
        });
    }
    Ok(())
}

/// The same once the slot is being read.
pub async fn still_reaches(source: &Client, name: &str, start: Lsn) -> Result<(), IdentityError> {
    let slot = slot::find(source, name)
        .await?
        .ok_or_else(|| IdentityError::SlotMissing(name.to_owned()))?;
    match slot.confirmed {
        Some(confirmed) if confirmed > start => Err(IdentityError::SlotAhead {
            slot: name.to_owned(),
            confirmed,
            checkpoint: start,
        }),
        _ => Ok(()),
    }
}

/// The slot and the publication of a pipeline that is set up.
pub fn names(pipeline: &PipelineRow) -> Result<(&str, &str), IdentityError> {
    let names = pipeline
        .slot
        .as_deref()
        .zip(pipeline.publication.as_deref());
    names.ok_or_else(|| IdentityError::NotSetUp(pipeline.name.clone()))
}

/// Compares the source with what the pipeline remembers of it.
pub async fn verify(
    source: &Client,
    pipeline: &PipelineRow,
    layout: &Layout,
) -> Result<Verified, IdentityError> {
    let (slot_name, publication_name) = names(pipeline)?;
    let cluster = cluster(source).await?;
    same_history(pipeline, &cluster)?;
    let slot = slot::find(source, slot_name)
        .await?
        .ok_or_else(|| IdentityError::SlotMissing(slot_name.to_owned()))?;
    let confirmed = readable(&slot, &cluster.database)?;
    let publication = publication::find(source, publication_name)
        .await?
        .ok_or_else(|| IdentityError::PublicationMissing(publication_name.to_owned()))?;
    complete(publication_name, &publication, layout)?;
    if let Some(error) = too_small(source, layout).await?.into_iter().next() {
        return Err(error);
    }
    let publication_state = publication::state(source, publication_name, layout).await?;
    let changes = pipeline
        .publication_state
        .as_ref()
        .map(|before| publication::changes(before, &publication_state))
        .unwrap_or_default();
    Ok(Verified {
        system: cluster.system,
        timeline: cluster.timeline,
        slot,
        confirmed,
        publication_state,
        changes,
    })
}

/// The same cluster, or one that was promoted from its standby.
pub fn same_history(pipeline: &PipelineRow, cluster: &Cluster) -> Result<(), IdentityError> {
    if switch::mutant(Mutant::AnyCluster) {
        return Ok(());
    }
    if let Some(was) = &pipeline.source_system
        && *was != cluster.system
    {
        return Err(IdentityError::OtherSystem {
            was: was.clone(),
            is: cluster.system.clone(),
        });
    }
    match pipeline.source_timeline {
        _ if switch::mutant(Mutant::AnyTimeline) => Ok(()),
        Some(was) if cluster.timeline < was => Err(IdentityError::EarlierTimeline {
            was,
            is: cluster.timeline,
        }),
        _ => Ok(()),
    }
}

/// Ours, of this database, and not given up: its confirmed position.
pub fn readable(slot: &Slot, database: &str) -> Result<Lsn, IdentityError> {
    let ours =
        slot.plugin.as_deref() == Some("pgoutput") && slot.database.as_deref() == Some(database);
    if !ours {
        return Err(IdentityError::SlotForeign {
            slot: slot.name.clone(),
            database: database.to_owned(),
            plugin: slot.plugin.clone().unwrap_or_else(|| "none".to_owned()),
            other: slot.database.clone().unwrap_or_else(|| "none".to_owned()),
        });
    }
    let lost = |reason: &str| IdentityError::SlotLost {
        slot: slot.name.clone(),
        reason: reason.to_owned(),
    };
    if let Some(reason) = &slot.lost
        && !switch::mutant(Mutant::LossUnseen)
    {
        return Err(lost(reason));
    }
    slot.confirmed.ok_or_else(|| lost("it was never completed"))
}

/// Every table of the layout, whole, with all four operations, through the root.
pub fn complete(
    name: &str,
    publication: &Publication,
    layout: &Layout,
) -> Result<(), IdentityError> {
    let sql = publication::statements(name, Some(publication), layout);
    if sql.is_empty() || switch::mutant(Mutant::NarrowPublication) {
        return Ok(());
    }
    let mut what = Vec::new();
    if !publication.via_root {
        what.push("does not publish partitions under their root".to_owned());
    }
    if !publication.silent.is_empty() {
        what.push(format!("leaves out {}", publication.silent.join(", ")));
    }
    for table in layout.stored() {
        let shown = quoted(&table.schema, &table.name);
        match publication.table(&table.schema, &table.name) {
            None => what.push(format!("does not have the table {shown}")),
            Some(t) if t.filtered => what.push(format!("filters the rows of {shown}")),
            Some(t) if !t.unpublished.is_empty() => {
                what.push(format!(
                    "leaves out columns of {shown}: {}",
                    t.unpublished.join(", ")
                ));
            }
            Some(_) => {}
        }
    }
    what.dedup();
    Err(IdentityError::PublicationNarrow {
        publication: name.to_owned(),
        what: what.join("; "),
        sql: sql.join("; "),
    })
}

/// The state of the publication, and what it lacks.
pub async fn published(
    source: &Client,
    name: &str,
    layout: &Layout,
) -> Result<(serde_json::Value, Option<IdentityError>), IdentityError> {
    let found = publication::find(source, name)
        .await?
        .ok_or_else(|| IdentityError::PublicationMissing(name.to_owned()))?;
    let state = publication::state(source, name, layout).await?;
    Ok((state, complete(name, &found, layout).err()))
}

/// Tables and partitions of which the log does not hold enough of the row before.
pub async fn too_small(
    source: &Client,
    layout: &Layout,
) -> Result<Vec<IdentityError>, IdentityError> {
    let mut errors = Vec::new();
    for table in layout.stored() {
        let sql = "
            SELECT c.oid FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1::text AND c.relname = $2::text";
        let row = source.query_opt(sql, &[&table.schema, &table.name]).await?;
        let Some(row) = row else {
            errors.push(IdentityError::TableMissing(quoted(
                &table.schema,
                &table.name,
            )));
            continue;
        };
        let root: Oid = row.try_get(0)?;
        let needed = needed(table);
        for leaf in writers(source, &[root]).await? {
            errors.extend(lacking(&leaf, &needed));
        }
    }
    Ok(errors)
}

/// The columns that a row before an UPDATE or DELETE must show: its key, its cart, its parent.
pub fn needed(table: &Table) -> Vec<&str> {
    let cart = table.cart.iter().flatten();
    let parent = table.parent.iter().flat_map(|(_, by)| by);
    let mut names: Vec<&str> = Vec::new();
    for &column in table.key.iter().chain(cart).chain(parent) {
        if let Some(column) = table.columns.get(column)
            && !names.contains(&column.name.as_str())
        {
            names.push(&column.name);
        }
    }
    names
}

fn lacking(leaf: &Leaf, needed: &[&str]) -> Option<IdentityError> {
    let lacking: Vec<&str> = needed
        .iter()
        .copied()
        .filter(|column| !leaf.identity.holds(column))
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let table = leaf.qualified();
    Some(IdentityError::IdentityTooSmall {
        sql: format!("ALTER TABLE {table} REPLICA IDENTITY FULL"),
        columns: lacking
            .iter()
            .map(|column| quoted_name(column))
            .collect::<Vec<_>>()
            .join(", "),
        why: "a row that is deleted or moves needs, to find its cart",
        table,
    })
}
