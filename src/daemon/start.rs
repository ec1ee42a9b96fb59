//! Bringing a pipeline up: identity first, then the takeover, then readers and writers.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::lookout::{Lookout, reread};
use super::notify::Notifier;
use super::outlook::Outlook;
use super::purge::Purge;
use super::reconcile::Reconciler;
use super::remember::Memory;
use super::schema::{Live, Shape, fit};
use super::tell::Teller;
use super::unmapped::{Said, unmapped};
use super::{DaemonError, ids, mappings};
use crate::cart::layout::Layout;
use crate::cart::owner::Router;
use crate::config::{self, Config};
use crate::lanes::dispatch::Dispatch;
use crate::lanes::known::Mappers;
use crate::lanes::lane::{Lane, LaneError, Pace};
use crate::lanes::reader::{Progress, Reader, State};
use crate::lanes::transaction::Room;
use crate::lookup::{Asker, Unallocated};
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::expr::IdKey;
use crate::params;
use crate::refresh::refresher::Refresher;
use crate::refresh::runs::{self, Kind};
use crate::refresh::throttle::{Of, Throttle};
use crate::repair;
use crate::source::change::Lsn;
use crate::source::error::Lack;
use crate::source::standing::Pressure;
use crate::source::stream::Origin;
use crate::source::{IdentityError, LogStream, Source};
use crate::switch::{self, Mutant, Place};
use crate::synthetic::cleanup::warn_of_leftovers;
use crate::synthetic::worker::Worker;
use crate::target::checkpoint::{self, Taken};
use crate::target::control::mapping_row;
use crate::target::control::migrate;
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::tables::Tables;
use crate::target::writer::Writer;

/// Items that may wait for a lane.
const QUEUE: usize = 1_024;
/// Bytes of carts that all lanes together remember.
const MEMORY: usize = 4 << 20;
/// Parents whose cart the router remembers.
const OWNERS: NonZeroUsize = NonZeroUsize::new(200_000).expect("not zero");

/// A pipeline at work.
pub struct Running {
    pub tasks: JoinSet<Result<(), DaemonError>>,
    /// Tells all of it to come to rest.
    pub halt: watch::Sender<bool>,
    pub teller: Teller,
    /// What its mapping was compiled against.
    pub shape: Shape,
}

/// `owned` is the epoch under which this process had the pipeline before, if it had. Who came since
/// keeps it: a daemon that slept and lost its sessions does not take it back (protocol rule 4).
pub async fn start(
    config: &Config,
    rates: watch::Receiver<config::Rates>,
    notifier: &Notifier,
    owned: &mut Option<i64>,
    said: &Said,
) -> Result<Running, DaemonError> {
    notifier.status("starting: connecting to both ends");
    let source = connect_source(config, "sql").await?;
    let control = connect_target(config, "control").await?;
    let mut pipeline = load_pipeline(config, &control).await?;
    let live = fit(config, &pipeline, &source, &control).await?;
    let Live {
        compiled,
        tables,
        shape,
        at: compiled_at,
    } = live;
    let layout = compiled.mapping.layout.clone();
    let schemas = compiled.schemas.clone();

    let mut verified = source.verify(&pipeline, &layout).await;
    if verified.is_err() {
        // A table may have had another name when we looked, or has it by now.
        fit(config, &pipeline, &source, &control).await?;
        verified = source.verify(&pipeline, &layout).await;
    }
    let verified = match verified {
        Ok(verified) => verified,
        Err(why) => {
            remember_lack(&source, &control, &pipeline, &layout, &why).await?;
            return Err(why.into());
        }
    };
    let least = pipeline::checkpoint(&control, pipeline.id)
        .await
        .map_err(DaemonError::Target)?
        .ok_or_else(|| DaemonError::NotSetUp(config.name.clone()))?;
    let channel = source
        .goes_on(&config.source, &pipeline, &verified, least)
        .await?;
    let secret = ids::secret(config, &pipeline)?;
    switch::place(Place::BeforeTakeOver);
    // Waits for the open transactions of a predecessor.
    notifier.status("starting: taking over");
    // Where the answer is lost, nobody knows whose the new epoch is: then it is not ours.
    let former = owned.take();
    let taken = checkpoint::take_over(&control, pipeline.id, config.apply.lanes, former)
        .await
        .map_err(DaemonError::Target)?
        .ok_or(DaemonError::Overtaken)?;
    switch::place(Place::TakenOver);
    *owned = Some(taken.epoch);
    let start = taken.start.position();
    info!(
        pipeline = config.name,
        epoch = taken.epoch,
        position = pipeline.spelling().show(start.lsn),
        lanes = config.apply.lanes,
        "taken over"
    );

    if compiled.mapping.uses_secret() {
        pipeline::set_ids_fingerprint(&control, pipeline.id, &ids::fingerprint(&secret))
            .await
            .map_err(DaemonError::Target)?;
    }
    let mappers =
        mappings::install(&control, &pipeline, compiled, IdKey::of(&secret), start.lsn).await?;
    if !verified.changes.is_empty() {
        let state = &verified.state;
        reread(&control, pipeline.id, &verified.changes, state, start.lsn)
            .await
            .map_err(DaemonError::Target)?;
    }
    if pipeline.publication_state.is_none() {
        // A setup that was cut short; nothing was read yet that this could hide.
        let state = &verified.state;
        pipeline::set_publication_state(&control, pipeline.id, state)
            .await
            .map_err(DaemonError::Target)?;
    }
    begin_backfill(&control, &pipeline, start.lsn)
        .await
        .map_err(DaemonError::Target)?;
    pipeline::set_source(&control, pipeline.id, &verified.lineage)
        .await
        .map_err(DaemonError::Target)?;

    pipeline.mapping = Some(mappers.current.id);
    // What earlier versions stored is not known to lack anything.
    let stored = stored(&control, mappers.current.id).await?;
    let stored = stored.unwrap_or_else(|| schemas.clone());
    said.say(unmapped(config, &stored, &schemas));
    notifier.status("starting: opening the log");
    let origin = Origin {
        server_id: config.server_id(),
        start: start.lsn,
        layout: layout.clone(),
        tables: shape.log_tables.clone(),
        compiled_at,
        patience: config.watch.slot_wait,
    };
    let pulse = notifier.pulses.of("log");
    let open = LogStream::open(&config.source, &channel, origin, pulse, |what| {
        notifier.status(&format!("waiting: {what}"))
    });
    let stream = tokio::select! {
        stream = open => stream?,
        why = overtaken(&control, pipeline.id, taken.epoch) => return Err(why),
    };
    source.still_reaches(&pipeline, start.lsn).await?;
    let parts = Parts {
        pipeline,
        state: verified.state,
        taken,
        mappers: Arc::new(mappers),
        tables: Arc::new(tables),
        shape,
        stream,
        source,
        control,
        rates,
        stored,
        said: said.clone(),
    };
    assemble(config, parts, notifier).await
}

/// Looks again and again whether another daemon has taken the pipeline over. Who waits for the slot
/// writes nothing, and would not find out by itself that it waits for its own successor.
async fn overtaken(control: &Target, pipeline: i32, epoch: i64) -> DaemonError {
    const LOOK: Duration = Duration::from_millis(500);
    loop {
        tokio::time::sleep(LOOK).await;
        let sql = "SELECT epoch FROM cartage.pipeline WHERE id = $1";
        let now = control.one(sql, params![pipeline]).await;
        match now.and_then(|row| row.get::<i64>(0)) {
            Ok(now) if now == epoch => {}
            Ok(_) => return DaemonError::Overtaken,
            Err(error) => return DaemonError::Target(error),
        }
    }
}

/// What was found and checked, to be set to work.
struct Parts {
    pipeline: PipelineRow,
    state: serde_json::Value,
    taken: Taken,
    mappers: Arc<Mappers>,
    tables: Arc<Tables>,
    shape: Shape,
    stream: LogStream,
    source: Source,
    control: Target,
    rates: watch::Receiver<config::Rates>,
    stored: StoredSchemas,
    said: Said,
}

/// Connects, spawns and wires up all tasks.
async fn assemble(
    config: &Config,
    parts: Parts,
    notifier: &Notifier,
) -> Result<Running, DaemonError> {
    let Parts {
        taken,
        mappers,
        tables,
        ..
    } = parts;
    let pipeline = parts.pipeline.id;
    let mut tasks: JoinSet<Result<(), DaemonError>> = JoinSet::new();
    let (halt, stop) = watch::channel(false);
    let mapping = &mappers.current.mapping;
    let (live, changed_at) = (mapping.live.clone(), mapping.changed_at);
    let layout = mapping.layout.clone();

    let pace = Pace {
        batch_rows: config.apply.batch_rows,
        batch_delay: config.apply.batch_delay,
        memory: MEMORY / config.apply.lanes.max(1),
    };
    let asker = Asker::connect(config, mapping, Unallocated::Allocate).await;
    let asker = Arc::new(asker.map_err(LaneError::from)?);
    let mut lanes = Vec::new();
    let mut durable = Vec::new();
    for number in 0..config.apply.lanes {
        let session = connect_target(config, &format!("lane {number}")).await?;
        let lane = i32::try_from(number).unwrap_or(i32::MAX);
        let writer = Writer::new(session, tables.clone(), pipeline, lane, taken.epoch)
            .await
            .map_err(LaneError::from)?;
        let (sender, items) = mpsc::channel(QUEUE);
        let (done, seen) = watch::channel(writer.durable());
        lanes.push(sender);
        durable.push(seen);
        let pulse = notifier.pulses.of_lane(number);
        let lane = Lane::new(writer, mappers.clone(), items, done, pace, pulse.clone())
            .asking(asker.clone());
        tasks.spawn(pulse.watch(async move { Ok(lane.run().await?) }));
    }

    let (requests, asked) = mpsc::channel(16);
    let (progress, progress_seen) = watch::channel(Progress::default());
    let (memory, latest) = watch::channel(None);
    let remembers = parts.stream.memory().is_some();
    let start = taken.start.position();
    let (source, control) = (parts.source, parts.control);
    let teller = Teller {
        source: source.clone(),
        control: control.clone(),
        pipeline: config.name.clone(),
    };
    let pulse = notifier.pulses.of("reader");
    let reader = Reader {
        stream: parts.stream,
        router: Router::new(layout.clone(), OWNERS, source.tells_cascades()),
        dispatch: Dispatch::new(lanes, pace.batch_rows, start, pulse.clone()),
        durable,
        source: source.clone(),
        control: control.clone(),
        pipeline,
        room: Room {
            changes: config.apply.transaction_rows,
            folder: config.apply.scratch.clone(),
        },
        requests: asked,
        progress,
        memory,
        stop: stop.clone(),
        state: State::new(start),
    };
    tasks.spawn(pulse.watch(async move { Ok(reader.run().await?) }));

    if remembers {
        let memory = Memory {
            control: control.clone(),
            pipeline,
            epoch: taken.epoch,
            latest,
            stop: stop.clone(),
        };
        tasks.spawn(notifier.pulses.of("memory").watch(memory.run()));
    }

    let pulse = notifier.pulses.of("refresher");
    let refresher = Refresher {
        source: connect_source(config, "refresh").await?,
        control: connect_target(config, "refresh").await?,
        pipeline,
        mapping: mappers.current.id,
        layout: layout.clone(),
        live,
        changed_at,
        throttle: Throttle::new(parts.rates.clone(), Of::Refresh),
        requests,
        progress: progress_seen.clone(),
        stop: stop.clone(),
        pulse: pulse.clone(),
        repairs: repair::pace::Pace::new(parts.rates.clone()),
        looked: None,
        asked: None,
    };
    tasks.spawn(pulse.watch(async move { Ok(refresher.run().await?) }));

    let purge = Purge {
        keep: config.conflicts,
        rates: parts.rates.clone(),
        control: connect_target(config, "purge").await?,
        pipeline,
        stop: stop.clone(),
    };
    tasks.spawn(notifier.pulses.of("purge").watch(purge.run()));

    let reconciler = Reconciler {
        config: config.clone(),
        control: connect_target(config, "reconcile control").await?,
        pipeline,
        mapper: mappers.current.clone(),
        rates: parts.rates,
        stop: stop.clone(),
    };
    tasks.spawn(notifier.pulses.of("reconcile").watch(reconciler.run()));
    match &config.synthetic {
        Some(synthetic) => {
            let worker = Worker {
                config: config.clone(),
                synthetic: synthetic.clone(),
                pipeline,
                mapper: mappers.current.clone(),
                asker: asker.clone(),
                stop: stop.clone(),
            };
            tasks.spawn(notifier.pulses.of("synthetic").watch(worker.run()));
        }
        None => {
            if let Err(why) = warn_of_leftovers(&control, pipeline).await {
                warn!("whether synthetic carts are left over cannot be told: {why}");
            }
        }
    }

    let lookout = Lookout {
        config: config.clone(),
        pipeline: parts.pipeline,
        source,
        control,
        layout,
        state: parts.state,
        shape: parts.shape.clone(),
        stored: parts.stored,
        said: parts.said,
        pressure: Pressure::default(),
        outlook: Outlook::default(),
        progress: progress_seen,
        stop,
    };
    tasks.spawn(notifier.pulses.of("lookout").watch(lookout.run()));
    Ok(Running {
        tasks,
        halt,
        teller,
        shape: parts.shape,
    })
}

/// The schemas that were stored with a mapping.
async fn stored(control: &Target, mapping: i32) -> Result<Option<StoredSchemas>, DaemonError> {
    let row = mapping_row::by_id(control, mapping).await;
    let row = row.map_err(DaemonError::Target)?;
    Ok(row.and_then(|row| serde_json::from_value(row.layout).ok()))
}

async fn connect_source(config: &Config, purpose: &str) -> Result<Source, DaemonError> {
    Source::watched(&config.source, purpose)
        .await
        .map_err(DaemonError::ConnectSource)
}

async fn connect_target(config: &Config, purpose: &str) -> Result<Target, DaemonError> {
    Target::watched(&config.target, purpose)
        .await
        .map_err(DaemonError::ConnectTarget)
}

async fn load_pipeline(config: &Config, control: &Target) -> Result<PipelineRow, DaemonError> {
    let not_set_up = || DaemonError::NotSetUp(config.name.clone());
    if !pipeline::installed(control)
        .await
        .map_err(DaemonError::Target)?
    {
        return Err(not_set_up());
    }
    let stale = migrate::judge(control).await;
    if let Some(stale) = stale.map_err(DaemonError::Target)? {
        return Err(DaemonError::Stale(stale));
    }
    pipeline::load(control, &config.name)
        .await
        .map_err(DaemonError::Target)?
        .ok_or_else(not_set_up)
}

/// What is not whole lets changes pass. Once it is mended it looks as if it had always been whole, so
/// what it lacked is stored, and the next start reads all carts again.
async fn remember_lack(
    source: &Source,
    control: &Target,
    pipeline: &PipelineRow,
    layout: &Layout,
    why: &IdentityError,
) -> Result<(), DaemonError> {
    match why.lack() {
        Lack::Nothing => Ok(()),
        Lack::State => {
            let state = source.state(pipeline, layout).await?;
            pipeline::set_publication_state(control, pipeline.id, &state)
                .await
                .map_err(DaemonError::Target)
        }
        Lack::Rows => {
            let at = pipeline::checkpoint(control, pipeline.id)
                .await
                .map_err(DaemonError::Target)?;
            runs::begin(control, pipeline.id, Kind::All, at.unwrap_or_default())
                .await
                .map_err(DaemonError::Target)
        }
    }
}

async fn begin_backfill(
    control: &Target,
    pipeline: &PipelineRow,
    at: Lsn,
) -> Result<(), TargetError> {
    let any = runs::any_backfill(control, pipeline.id).await?;
    if !any || switch::mutant(Mutant::BackfillAnew) {
        runs::begin(control, pipeline.id, Kind::Backfill, at).await?;
        switch::place(Place::BackfillBegun);
    }
    control
        .execute(
            "UPDATE cartage.pipeline SET phase = CASE WHEN EXISTS \
                 (SELECT 1 FROM cartage.refresh_run WHERE pipeline = $1 AND finished_at IS NULL \
                  AND kind IN ('backfill', 'all')) THEN 'backfilling' ELSE 'following' END \
             WHERE id = $1 AND phase IN ('new', 'stopped', 'backfilling', 'following')",
            params![pipeline.id],
        )
        .await?;
    Ok(())
}

/// Leaves the reason where `status` finds it.
pub async fn record_stop(config: &Config, why: &DaemonError) {
    let Ok(control) = Target::watched(&config.target, "stop").await else {
        return;
    };
    let done = control
        .execute(
            "UPDATE cartage.pipeline SET phase = 'stopped', stopped_reason = $2 WHERE name = $1",
            params![&config.name, why.to_string()],
        )
        .await;
    if let Err(failed) = done {
        error!("the reason of the stop could not be stored: {failed}");
    }
}
