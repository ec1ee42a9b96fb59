//! Bringing a pipeline up: identity first, then the takeover, then readers and writers.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tracing::{error, info};

use super::{DaemonError, ids, mappings};
use crate::cart::owner::Router;
use crate::config::{self, Config};
use crate::lanes::dispatch::Dispatch;
use crate::lanes::known::Mappers;
use crate::lanes::lane::{Lane, LaneError, Pace};
use crate::lanes::reader::{Progress, Reader, State};
use crate::mapping::compile::{Compiled, compile};
use crate::postgres::catalog::Catalog;
use crate::postgres::connect::connect;
use crate::refresh::refresher::Refresher;
use crate::refresh::runs::{self, Kind};
use crate::refresh::throttle::Throttle;
use crate::refresh::watch::{PublicationWatch, reread};
use crate::source::change::Lsn;
use crate::source::postgres::identity::{self, IdentityError};
use crate::source::postgres::{LogStream, slot};
use crate::target::checkpoint::{self, Taken};
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::tables::Tables;
use crate::target::writer::Writer;

/// Items that may wait for a lane.
const QUEUE: usize = 1_024;
/// Parents whose cart the router remembers.
const OWNERS: NonZeroUsize = NonZeroUsize::new(200_000).expect("not zero");

/// A pipeline at work.
pub struct Running {
    pub tasks: JoinSet<Result<(), DaemonError>>,
    /// Tells all of it to come to rest.
    pub halt: watch::Sender<bool>,
}

pub async fn start(
    config: &Config,
    rates: watch::Receiver<config::Refresh>,
) -> Result<Running, DaemonError> {
    let source = connect_source(config, "sql").await?;
    let mut control = connect_target(config, "control").await?;
    let pipeline = load_pipeline(config, &control).await?;
    let (compiled, tables) = compile_live(config, &source, &control).await?;
    let layout = compiled.mapping.layout.clone();

    let least = pipeline::checkpoint(&control, pipeline.id)
        .await
        .map_err(DaemonError::Target)?
        .ok_or_else(|| DaemonError::NotSetUp(config.name.clone()))?;
    let verified = identity::verify(&source, &pipeline, least, &layout).await?;
    let secret = ids::secret(config, &pipeline)?;
    let taken = checkpoint::take_over(&mut control, pipeline.id, config.apply.lanes)
        .await
        .map_err(DaemonError::Target)?;
    let start = taken.start.position();
    info!(
        pipeline = config.name,
        epoch = taken.epoch,
        position = %start.lsn,
        lanes = config.apply.lanes,
        "taken over"
    );

    if compiled.mapping.uses_secret() {
        pipeline::set_ids_fingerprint(&control, pipeline.id, &ids::fingerprint(&secret))
            .await
            .map_err(DaemonError::Target)?;
    }
    let mappers = mappings::install(&control, &pipeline, compiled, secret, start.lsn).await?;
    if !verified.changes.is_empty() {
        let state = &verified.publication_state;
        reread(&control, pipeline.id, &verified.changes, state, start.lsn)
            .await
            .map_err(DaemonError::Target)?;
    }
    begin_backfill(&control, &pipeline, start.lsn)
        .await
        .map_err(DaemonError::Target)?;
    pipeline::set_source(&control, pipeline.id, &verified.system, verified.timeline)
        .await
        .map_err(DaemonError::Target)?;

    let slot_name = verified.slot.name.clone();
    let publication = pipeline.publication.clone().unwrap_or_default();
    let stream = LogStream::open(
        &config.source,
        &slot_name,
        &publication,
        start.lsn,
        layout.clone(),
    )
    .await?;
    confirm_slot(&source, &slot_name, start.lsn).await?;
    let watch = PublicationWatch {
        name: publication,
        layout,
        state: verified.publication_state,
    };
    let parts = Parts {
        pipeline: pipeline.id,
        taken,
        mappers: Arc::new(mappers),
        tables: Arc::new(tables),
        stream,
        source,
        control,
        watch,
        rates,
    };
    assemble(config, parts).await
}

/// What was found and checked, to be set to work.
struct Parts {
    pipeline: i32,
    taken: Taken,
    mappers: Arc<Mappers>,
    tables: Arc<Tables>,
    stream: LogStream,
    source: Client,
    control: Client,
    watch: PublicationWatch,
    rates: watch::Receiver<config::Refresh>,
}

/// Connects, spawns and wires up all tasks.
async fn assemble(config: &Config, parts: Parts) -> Result<Running, DaemonError> {
    let Parts {
        pipeline,
        taken,
        mappers,
        tables,
        ..
    } = parts;
    let mut tasks: JoinSet<Result<(), DaemonError>> = JoinSet::new();
    let (halt, stop) = watch::channel(false);
    let mapping = &mappers.current.mapping;
    let (live, changed_at) = (mapping.live_sql.clone(), mapping.changed_at);
    let layout = mapping.layout.clone();

    let pace = Pace {
        batch_rows: config.apply.batch_rows,
        batch_delay: config.apply.batch_delay,
    };
    let mut lanes = Vec::new();
    let mut durable = Vec::new();
    for number in 0..config.apply.lanes {
        let client = connect_target(config, &format!("lane {number}")).await?;
        let lane = i32::try_from(number).unwrap_or(i32::MAX);
        let writer = Writer::new(client, tables.clone(), pipeline, lane, taken.epoch)
            .await
            .map_err(LaneError::from)?;
        let (sender, items) = mpsc::channel(QUEUE);
        let (done, seen) = watch::channel(writer.durable());
        lanes.push(sender);
        durable.push(seen);
        let lane = Lane::new(writer, mappers.clone(), items, done, pace);
        tasks.spawn(async move { Ok(lane.run().await?) });
    }

    let (requests, asked) = mpsc::channel(16);
    let (progress, progress_seen) = watch::channel(Progress::default());
    let start = taken.start.position();
    let reader = Reader {
        stream: parts.stream,
        router: Router::new(layout.clone(), OWNERS),
        dispatch: Dispatch::new(lanes, start),
        durable,
        source: Arc::new(parts.source),
        control: Arc::new(parts.control),
        pipeline,
        requests: asked,
        progress,
        stop: stop.clone(),
        state: State::new(start),
    };
    tasks.spawn(async move { Ok(reader.run().await?) });

    let refresher = Refresher {
        source: connect_source(config, "refresh").await?,
        control: connect_target(config, "refresh").await?,
        pipeline,
        mapping: mappers.current.id,
        layout,
        live,
        changed_at,
        throttle: Throttle::new(parts.rates),
        requests,
        progress: progress_seen,
        stop,
        publication: parts.watch,
        watched: tokio::time::Instant::now(),
    };
    tasks.spawn(async move { Ok(refresher.run().await?) });
    Ok(Running { tasks, halt })
}

async fn connect_source(config: &Config, purpose: &str) -> Result<Client, DaemonError> {
    connect(&config.source, purpose)
        .await
        .map_err(DaemonError::ConnectSource)
}

async fn connect_target(config: &Config, purpose: &str) -> Result<Client, DaemonError> {
    connect(&config.target, purpose)
        .await
        .map_err(DaemonError::ConnectTarget)
}

async fn load_pipeline(config: &Config, control: &Client) -> Result<PipelineRow, DaemonError> {
    let not_set_up = || DaemonError::NotSetUp(config.name.clone());
    if !pipeline::installed(control)
        .await
        .map_err(DaemonError::Target)?
    {
        return Err(not_set_up());
    }
    pipeline::load(control, &config.name)
        .await
        .map_err(DaemonError::Target)?
        .ok_or_else(not_set_up)
}

/// Compiles the mapping against both live schemas.
pub async fn compile_live(
    config: &Config,
    source: &Client,
    target: &Client,
) -> Result<(Compiled, Tables), DaemonError> {
    let source = Catalog::read(source, &config.source_tables())
        .await
        .map_err(DaemonError::Source)?;
    let target = Catalog::read(target, &config.target_tables())
        .await
        .map_err(DaemonError::Target)?;
    let compiled = compile(config, &source, &target)
        .map_err(|problems| DaemonError::Mapping(Box::new(problems)))?;
    Ok((compiled, Tables::of(&target)))
}

async fn begin_backfill(
    control: &Client,
    pipeline: &PipelineRow,
    at: Lsn,
) -> Result<(), tokio_postgres::Error> {
    if !runs::any_backfill(control, pipeline.id).await? {
        runs::begin(control, pipeline.id, Kind::Backfill, at).await?;
    }
    control
        .execute(
            "UPDATE cartage.pipeline SET phase = CASE WHEN EXISTS \
                 (SELECT 1 FROM cartage.refresh_run WHERE pipeline = $1 AND finished_at IS NULL \
                  AND kind IN ('backfill', 'all')) THEN 'backfilling' ELSE 'following' END \
             WHERE id = $1 AND phase IN ('new', 'stopped', 'backfilling', 'following')",
            &[&pipeline.id],
        )
        .await?;
    Ok(())
}

/// Between the check and the start of the stream somebody may have moved or remade the slot: then
/// the server would begin later than asked, without a word.
async fn confirm_slot(source: &Client, name: &str, start: Lsn) -> Result<(), DaemonError> {
    let slot = slot::find(source, name)
        .await
        .map_err(DaemonError::Source)?
        .ok_or_else(|| IdentityError::SlotMissing(name.to_owned()))?;
    match slot.confirmed {
        Some(confirmed) if confirmed > start => Err(IdentityError::SlotAhead {
            slot: name.to_owned(),
            confirmed,
            checkpoint: start,
        }
        .into()),
        _ => Ok(()),
    }
}

/// Leaves the reason where `status` finds it.
pub async fn record_stop(config: &Config, why: &DaemonError) {
    let Ok(control) = connect(&config.target, "stop").await else {
        return;
    };
    let done = control
        .execute(
            "UPDATE cartage.pipeline SET phase = 'stopped', stopped_reason = $2::text \
             WHERE name = $1::text",
            &[&config.name, &why.to_string()],
        )
        .await;
    if let Err(failed) = done {
        error!("the reason of the stop could not be stored: {failed}");
    }
}
