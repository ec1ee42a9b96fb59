//! `cartage checkpoint`: the saved position, for looking at it, keeping it and moving it.

mod keys;
mod saved;

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::HumanBytes;
use serde_json::json;

use self::saved::Export;
use super::confirm::confirm;
use super::{CommandError, ends};
use crate::config::Config;
use crate::source::change::Lsn;
use crate::source::standing::Kept;
use crate::switch::{self, Mutant, Place};
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;

#[derive(Debug, clap::Subcommand)]
pub enum CheckpointCommand {
    /// Show how far each lane is
    #[command(after_help = "Example: cartage checkpoint show")]
    Show {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print position, identity of the source, the generated key of ids and the keys that the target has
    /// allocated as JSON. Keep it secret
    #[command(after_help = "Example: (umask 077; cartage checkpoint export > shop.checkpoint)")]
    Export,
    /// Take back what export printed: the key of ids, the allocated keys, and the position
    #[command(after_help = "Example: cartage checkpoint import shop.checkpoint --only-secret")]
    Import {
        file: PathBuf,
        /// Take the key of ids and the allocated keys alone, as after a teardown and a new setup
        #[arg(long)]
        only_secret: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Move the position. Back is safe as far as the source still has the log; forward skips changes
    #[command(after_help = "Example: cartage checkpoint set 16/B374D848")]
    Set {
        position: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(config: &Config, command: CheckpointCommand) -> Result<ExitCode, CommandError> {
    let target = ends::target(config, "checkpoint").await?;
    let pipeline = ends::pipeline(config, &target).await?;
    match command {
        CheckpointCommand::Show { json } => show(&target, &pipeline, json).await?,
        CheckpointCommand::Export => {
            let export = saved::export(&target, &pipeline).await?;
            if export.ids_secret.is_some() {
                eprintln!("note: this holds the key of the pipeline's ids; keep it secret");
            }
            println!("{}", json!(export));
        }
        CheckpointCommand::Import {
            file,
            only_secret,
            yes,
        } => {
            let export = read_file(&file, &pipeline)?;
            import(config, &target, &pipeline, &export, only_secret, yes).await?;
        }
        CheckpointCommand::Set { position, yes } => {
            let to = pipeline.spelling().read(&position);
            let to = to.map_err(CommandError::usage)?;
            move_to(config, &target, &pipeline, to, yes).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(target: &Target, pipeline: &PipelineRow, as_json: bool) -> Result<(), CommandError> {
    let lanes = saved::lanes(target, pipeline.id).await?;
    let least = lanes.iter().map(|lane| lane.position()).min();
    let spelling = pipeline.spelling();
    let show = |lsn| spelling.show(lsn);
    if as_json {
        println!(
            "{}",
            json!({
                "pipeline": pipeline.name,
                "position": least.map(|least| show(least.lsn)),
                "purge_horizon": pipeline.purge_horizon.map(show),
                "epoch": pipeline.epoch,
                "lanes": lanes,
            })
        );
        return Ok(());
    }
    for lane in &lanes {
        let inside = match lane.seq {
            0 => String::new(),
            seq => format!(" (change {seq} of the transaction that commits there)"),
        };
        println!(
            "lane {}  {}{inside}  committed {}",
            lane.lane,
            show(lane.position().lsn),
            lane.updated_at
        );
    }
    if let Some(least) = least {
        println!("position  {}", show(least.lsn));
    }
    if let Some(horizon) = pipeline.purge_horizon {
        println!("it may not be moved back below  {}", show(horizon));
    }
    Ok(())
}

fn read_file(file: &PathBuf, pipeline: &PipelineRow) -> Result<Export, CommandError> {
    let bad = |why: String| CommandError::usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|why| bad(why.to_string()))?;
    // The message of serde_json gives line and column, and may quote no value: it could be the key.
    let export: Export = serde_json::from_str(&text).map_err(|why| {
        let at = format!("line {} column {}", why.line(), why.column());
        bad(format!(
            "not what `cartage checkpoint export` prints ({at})"
        ))
    })?;
    if export.format != Export::FORMAT {
        return Err(bad(format!(
            "format {}, and this version reads {}",
            export.format,
            Export::FORMAT
        )));
    }
    if export.pipeline != pipeline.name {
        return Err(bad(format!(
            "it is of the pipeline {}, not of {}",
            export.pipeline, pipeline.name
        )));
    }
    Ok(export)
}

async fn import(
    config: &Config,
    target: &Target,
    pipeline: &PipelineRow,
    export: &Export,
    only_secret: bool,
    yes: bool,
) -> Result<(), CommandError> {
    let secret = export.secret().map_err(CommandError::usage)?;
    if only_secret && secret.is_none() && export.key_map.is_empty() {
        return Err(CommandError::usage(
            "the file holds no key of ids; [ids] secret gives it",
        ));
    }
    let known = pipeline.ids_secret.as_ref().map(|secret| &secret.0);
    if let Some(secret) = secret.filter(|secret| known != Some(secret)) {
        no_daemon(&kept(config, pipeline).await?)?;
        if !saved::put_secret(target, pipeline.id, &secret).await? {
            return Err(CommandError::failed(
                "the file's key of ids is another one, and carts were already written under the \
                 present key; nothing was changed",
            ));
        }
        println!("The key of ids is the file's.");
    }
    if !export.key_map.is_empty() {
        allocated(config, target, pipeline, &export.key_map).await?;
    }
    if only_secret {
        return Ok(());
    }
    let to = export
        .least()
        .ok_or_else(|| CommandError::usage("the file holds no position"))?;
    let source = ends::source(config, "checkpoint").await?;
    let lineage = source.lineage().await.map_err(CommandError::failed)?;
    if export.source_system.as_deref() != Some(lineage.system.as_str()) {
        return Err(CommandError::failed(format!(
            "the file's position is of another source cluster (system identifier {}, this one has \
             {}); positions compare only within one log",
            export.source_system.as_deref().unwrap_or("unknown"),
            lineage.system
        )));
    }
    if export.source_timeline > lineage.timeline {
        return Err(CommandError::failed(
            "the file's position is of a later timeline: the source was restored to an earlier \
             point; run: cartage setup",
        ));
    }
    move_to(config, target, pipeline, to, yes).await
}

/// The keys that the target has allocated are again those of the rows that they were given to.
async fn allocated(
    config: &Config,
    target: &Target,
    pipeline: &PipelineRow,
    keys: &keys::Keys,
) -> Result<(), CommandError> {
    if !matches!(target, Target::Postgres(_)) {
        return Err(CommandError::usage(
            "the file holds keys that its target has allocated, and this target allocates none",
        ));
    }
    no_daemon(&kept(config, pipeline).await?)?;
    let others = keys::take_back(target, pipeline.id, keys).await?;
    if others > 0 {
        return Err(CommandError::failed(format!(
            "{others} source rows have another key here than in the file, or their key is another \
             row's; none of the file's allocated keys was taken"
        )));
    }
    let total: usize = keys.values().map(|keys| keys.len()).sum();
    println!("{total} allocated keys are the file's.");
    Ok(())
}

async fn kept(config: &Config, pipeline: &PipelineRow) -> Result<Kept, CommandError> {
    let source = ends::source(config, "checkpoint").await?;
    source
        .kept(config, pipeline)
        .await
        .map_err(CommandError::failed)
}

fn no_daemon(kept: &Kept) -> Result<(), CommandError> {
    match &kept.reader {
        None => Ok(()),
        Some(reader) => Err(CommandError::failed(format!(
            "a daemon runs: {reader}; stop it first: systemctl stop cartage"
        ))),
    }
}

async fn move_to(
    config: &Config,
    target: &Target,
    pipeline: &PipelineRow,
    to: Lsn,
    yes: bool,
) -> Result<(), CommandError> {
    let kept = kept(config, pipeline).await?;
    no_daemon(&kept)?;
    let spelling = pipeline.spelling();
    let show = |lsn| spelling.show(lsn);
    let horizon = pipeline
        .purge_horizon
        .filter(|_| !switch::mutant(Mutant::NoHorizon));
    if let Some(horizon) = horizon.filter(|horizon| to < *horizon) {
        return Err(CommandError::failed(format!(
            "{} is below the purge horizon {}: what tells old changes from new ones is kept only \
             from there on",
            show(to),
            show(horizon)
        )));
    }
    if let Some(from) = kept.from.filter(|from| to < *from) {
        return Err(CommandError::failed(format!(
            "{} is impossible: the source has let go of its log before {}; to bring carts up to \
             date, run: cartage refresh",
            show(to),
            show(from)
        )));
    }
    let end = kept.end;
    if to > end {
        return Err(CommandError::failed(format!(
            "{} is beyond the end of the source's log, {}",
            show(to),
            show(end)
        )));
    }
    let lanes = saved::lanes(target, pipeline.id).await?;
    let least = lanes
        .iter()
        .map(|lane| lane.position().lsn)
        .min()
        .unwrap_or_default();
    let most = lanes
        .iter()
        .map(|lane| lane.position().lsn)
        .max()
        .unwrap_or_default();
    let step = match to > least {
        true => format!(
            "target: SKIP the changes between {} and {} ({} of log); carts changed in them stay as \
             they are until they change again, or until: cartage refresh --all",
            show(least),
            show(to),
            HumanBytes(to.0 - least.0)
        ),
        false => format!(
            "target: read again from {} ({} of log); changes that are applied already change \
             nothing",
            show(to),
            HumanBytes(most.0.saturating_sub(to.0))
        ),
    };
    let heading = format!("Moving the checkpoint of the pipeline {}:", pipeline.name);
    // Only skipping asks: replaying changes nothing.
    if !confirm(&heading, &[step], yes || to <= least)? {
        return Err(CommandError::failed("nothing was done"));
    }
    saved::move_to(target, pipeline.id, to).await?;
    switch::place(Place::CheckpointMoved);
    println!("Done.");
    Ok(())
}
