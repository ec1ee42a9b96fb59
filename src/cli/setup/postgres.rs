//! What `setup` does where the source is Postgres: the publication and the slot.

use tokio_postgres::Client;

use super::{register, registration, start_over};
use crate::cart::layout::Layout;
use crate::cli::CommandError;
use crate::config::Config;
use crate::postgres::fault;
use crate::source::change::Lsn;
use crate::source::identity::Lineage;
use crate::source::postgres::identity::{self, Cluster, IdentityError};
use crate::source::postgres::{lineage, publication, slot};
use crate::switch::{self, Place};
use crate::target::control::migrate::migrate;
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::session::Target;

/// What is to be done about the slot.
#[derive(Debug, PartialEq, Eq)]
enum SlotStep {
    /// It is there, and the checkpoint stands at or after it.
    Keep,
    Create,
    /// It is there from an interrupted setup, and no checkpoint yet.
    Adopt(Lsn),
    /// The log since the checkpoint is lost: a new slot, and all carts again.
    Replace {
        drop: bool,
        why: String,
    },
    /// The slot has moved on without us: go on from it, and all carts again.
    Follow {
        at: Lsn,
        why: String,
    },
}

pub struct Plan {
    name: String,
    cluster: Cluster,
    publication: Vec<String>,
    slot: SlotStep,
    /// None where the control tables do not know the pipeline yet.
    row: Option<PipelineRow>,
    /// Changes may have passed while the publication was not whole, now or before.
    unseen: bool,
    pub steps: Vec<String>,
}

/// What must be so before the slot exists, for it decides what the log will hold.
async fn ready(source: &Client, layout: &Layout) -> Result<(), CommandError> {
    let level: String = source
        .query_one("SELECT pg_catalog.current_setting('wal_level')", &[])
        .await?
        .try_get(0)?;
    if level != "logical" {
        return Err(CommandError::failed(format!(
            "wal_level of the source is {level}; run on the source: ALTER SYSTEM SET wal_level = \
             logical; and restart it"
        )));
    }
    let small = identity::too_small(source, layout)
        .await
        .map_err(CommandError::failed)?;
    if small.is_empty() {
        return Ok(());
    }
    let messages: Vec<String> = small.iter().map(ToString::to_string).collect();
    Err(CommandError::failed(messages.join("\n")))
}

pub async fn plan(
    config: &Config,
    source: &Client,
    target: &Target,
    layout: &Layout,
) -> Result<Plan, CommandError> {
    let cluster = identity::cluster(source)
        .await
        .map_err(CommandError::failed)?;
    ready(source, layout).await?;
    let name = slot::name_of(&config.name);
    let (row, mut steps) = registration(config, target).await?;
    let found = publication::find(source, &name).await?;
    let publication = publication::statements(&name, found.as_ref(), layout);
    steps.extend(publication.iter().map(|sql| format!("source: {sql}")));
    let state = row.as_ref().and_then(|row| row.publication_state.as_ref());
    let unseen = match state {
        _ if !publication.is_empty() => true,
        Some(before) => {
            // A setup that was cut short has mended the publication and no more.
            let now = publication::state(source, &name, layout).await?;
            !publication::changes(before, &now).is_empty()
        }
        None => false,
    };
    let slot = slot_step(config, source, target, row.as_ref(), &cluster).await?;
    let decodable = match &slot {
        SlotStep::Keep | SlotStep::Adopt(_) | SlotStep::Follow { .. } => {
            found.is_some() && decodable(source, &name).await?
        }
        SlotStep::Create | SlotStep::Replace { .. } => true,
    };
    let slot = match decodable {
        true => slot,
        false => SlotStep::Replace {
            drop: true,
            why: "its log has a time without the publication, which cannot be decoded".to_owned(),
        },
    };
    match &slot {
        SlotStep::Keep => {
            if unseen {
                steps.push(
                    "target: have every cart read again (refresh --all), for changes may have \
                     passed while the publication was not whole"
                        .to_owned(),
                );
            }
        }
        SlotStep::Create => steps.push(format!(
            "source: create the replication slot {name} (waits for open transactions to end)"
        )),
        SlotStep::Adopt(at) => steps.push(format!("target: put the checkpoint at {at}")),
        SlotStep::Replace { drop, why } => {
            let drop = if *drop { "drop and create" } else { "create" };
            steps.push(format!(
                "source: {drop} the replication slot {name}, for {why}"
            ));
            steps.push(
                "target: have every cart read again (refresh --all), for the changes since the \
                 checkpoint are in no log any more"
                    .to_owned(),
            );
        }
        SlotStep::Follow { at, why } => {
            steps.push(format!("target: put the checkpoint at {at}, for {why}"));
            steps.push(
                "target: have every cart read again (refresh --all), for the changes in between \
                 were read by someone else"
                    .to_owned(),
            );
        }
    }
    if row.is_some() && (state.is_none() || unseen) {
        steps.push("target: remember the published tables as they are".to_owned());
    }
    Ok(Plan {
        name,
        cluster,
        publication,
        slot,
        row,
        unseen,
        steps,
    })
}

async fn slot_step(
    config: &Config,
    source: &Client,
    target: &Target,
    row: Option<&PipelineRow>,
    cluster: &Cluster,
) -> Result<SlotStep, CommandError> {
    let name = slot::name_of(&config.name);
    let found = slot::find(source, &name).await?;
    let Some(row) = row else {
        return match found {
            None => Ok(SlotStep::Create),
            Some(_) => Err(CommandError::failed(format!(
                "the source has a replication slot {name} already, but the target knows no \
                 pipeline {}: it belongs to another target, or is left over; rename the pipeline, \
                 or run on the source: SELECT pg_drop_replication_slot('{name}')",
                config.name
            ))),
        };
    };
    let checkpoint = pipeline::checkpoint(target, row.id).await?;
    let history = another_log(config, source, row, cluster, checkpoint).await?;
    let Some(found) = found else {
        return Ok(match checkpoint {
            None => SlotStep::Create,
            Some(_) => SlotStep::Replace {
                drop: false,
                why: history.unwrap_or("it is not there any more").to_owned(),
            },
        });
    };
    let confirmed = match identity::readable(&found, &cluster.database) {
        Ok(confirmed) => confirmed,
        Err(IdentityError::SlotLost { reason, .. }) => {
            return Ok(SlotStep::Replace {
                drop: true,
                why: format!("the source gave it up ({reason})"),
            });
        }
        Err(foreign) => return Err(CommandError::failed(foreign)),
    };
    let Some(checkpoint) = checkpoint else {
        return Ok(SlotStep::Adopt(confirmed));
    };
    if let Some(why) = history {
        return Ok(SlotStep::Replace {
            drop: true,
            why: why.to_owned(),
        });
    }
    if confirmed > checkpoint {
        return Ok(SlotStep::Follow {
            at: confirmed,
            why: format!("the slot {name} has gone past the checkpoint {checkpoint}"),
        });
    }
    Ok(SlotStep::Keep)
}

/// The log between the end of a publication and its return cannot be decoded: pgoutput looks for
/// publications in the catalog as it was then. What a daemon is reading is for the daemon to tell.
async fn decodable(source: &Client, name: &str) -> Result<bool, CommandError> {
    let slot = slot::find(source, name).await?;
    if slot.is_none_or(|slot| slot.active_pid.is_some()) {
        return Ok(true);
    }
    Ok(slot::decodable(source, name, name).await?)
}

/// Why the source's log is not the one that the checkpoint speaks of.
async fn another_log(
    config: &Config,
    source: &Client,
    row: &PipelineRow,
    cluster: &Cluster,
    checkpoint: Option<Lsn>,
) -> Result<Option<&'static str>, CommandError> {
    let same = async {
        identity::same_history(row, cluster)?;
        let Some(checkpoint) = checkpoint else {
            return Ok(());
        };
        let (was, is) = (row.source_timeline, cluster.timeline);
        lineage::descends(source, &config.source, was, is, checkpoint).await
    };
    match same.await {
        Ok(()) => Ok(None),
        Err(IdentityError::OtherSystem { .. }) => Ok(Some("the source is another cluster")),
        Err(IdentityError::Forked { .. } | IdentityError::OtherBranch { .. }) => Ok(Some(
            "the source was promoted without the last of what was read from the old primary",
        )),
        Err(IdentityError::EarlierTimeline { .. } | IdentityError::Behind { .. }) => {
            Ok(Some("the source was restored to an earlier point"))
        }
        Err(error) => Err(CommandError::failed(error)),
    }
}

/// The row before the slot, so that a slot without a row is never ours; the publication before
/// the slot, so that the slot's whole log is decoded with it. It may be cut short after each step,
/// and the next setup or the daemon must know from what is stored what is still to be done.
pub async fn carry_out(
    config: &Config,
    plan: Plan,
    source: &Client,
    target: &Target,
    layout: &Layout,
) -> Result<(), CommandError> {
    let lineage = Lineage {
        system: plan.cluster.system.clone(),
        timeline: Some(plan.cluster.timeline),
    };
    migrate(&config.target)
        .await
        .map_err(CommandError::failed)?;
    switch::place(Place::Migrated);
    let known = plan.row.is_some();
    let kept = Some(plan.name.as_str());
    let row = register(config, target, &lineage, kept, kept).await?;
    switch::place(Place::Registered);
    if let SlotStep::Replace { drop: true, .. } = plan.slot {
        // Before the publication: a slot that outlives this would be taken for a good one.
        slot::drop(source, &plan.name).await?;
        switch::place(Place::OldSlotDropped);
    }
    if known && !plan.publication.is_empty() {
        // Once mended it looks as if it had always been whole; what is stored says that it was not.
        let lack = publication::state(source, &plan.name, layout).await?;
        pipeline::set_publication_state(target, row.id, &lack).await?;
        switch::place(Place::LackStored);
    }
    for sql in &plan.publication {
        source.batch_execute(sql).await.map_err(|error| {
            CommandError::failed(format!(
                "the publication could not be made: {}; a superuser or the owner of the tables \
                 can run on the source: {sql}",
                fault::describe(&error)
            ))
        })?;
    }
    if !plan.publication.is_empty() {
        switch::place(Place::PublicationMade);
    }
    match plan.slot {
        SlotStep::Keep => {
            if known && plan.unseen {
                pipeline::refresh_all(target, row.id).await?;
                switch::place(Place::RefreshBegun);
            }
        }
        SlotStep::Create => {
            let at = create_slot(source, &plan.name).await?;
            switch::place(Place::SlotMade);
            pipeline::create_checkpoint(target, row.id, at).await?;
            switch::place(Place::CheckpointMade);
        }
        SlotStep::Adopt(at) => {
            pipeline::create_checkpoint(target, row.id, at).await?;
            switch::place(Place::CheckpointMade);
        }
        SlotStep::Replace { .. } => {
            let at = create_slot(source, &plan.name).await?;
            switch::place(Place::SlotMade);
            start_over(target, row.id, at, &lineage, None).await?;
        }
        SlotStep::Follow { at, .. } => start_over(target, row.id, at, &lineage, None).await?,
    }
    if row.publication_state.is_none() || plan.unseen {
        let state = publication::state(source, &plan.name, layout).await?;
        pipeline::set_publication_state(target, row.id, &state).await?;
        switch::place(Place::StateStored);
    }
    Ok(())
}

async fn create_slot(source: &Client, name: &str) -> Result<Lsn, CommandError> {
    slot::create(source, name).await.map_err(|error| {
        CommandError::failed(format!(
            "the replication slot {name} could not be made: {}; see: cartage check",
            fault::describe(&error)
        ))
    })
}
