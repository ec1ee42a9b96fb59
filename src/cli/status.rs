//! `cartage status`: where the pipeline stands.

use std::process::ExitCode;
use std::time::Duration;

use console::Term;
use tokio::time::Instant;

use super::{CommandError, NOT_WELL, ends};
use crate::config::Config;
use crate::daemon::unmapped;
use crate::source::Source;
use crate::source::change::Lsn;
use crate::status::{Status, look};
use crate::target::session::Target;

/// Show phase, lag, progress and what needs a human. Works while the source is unreachable. Exits
/// with 3 if the pipeline is stalled: it stopped, its slot is lost, or no lane commits.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  cartage status --watch\n  cartage status --json | jq .lag")]
pub struct StatusArgs {
    /// Look again every second, with rates and the time left, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Print one JSON document a look
    #[arg(long)]
    pub json: bool,
}

pub async fn run(config: &Config, args: StatusArgs) -> Result<ExitCode, CommandError> {
    let target = ends::target(config, "status").await?;
    let mut source = ends::source(config, "status").await;
    let mut before: Option<(Status, Instant)> = None;
    let mut lines = 0;
    loop {
        let mut status = one(config, &target, &source).await?;
        let now = Instant::now();
        if let Some((before, then)) = &before {
            let seconds = (now - *then).as_secs_f64();
            status.compare_with(before, seconds, written(&source, before).await);
        }
        // Whether it catches up cannot be told from one look.
        if !args.watch && before.is_none() && status.is_behind() {
            before = Some((status, now));
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        }
        if args.json {
            println!("{}", status.json());
        } else {
            lines = draw(&status.text(), lines)?;
        }
        if !args.watch {
            return Ok(match status.stalled() {
                None => ExitCode::SUCCESS,
                Some(_) => ExitCode::from(NOT_WELL),
            });
        }
        if status.source.unreachable.is_some() {
            source = ends::source(config, "status").await;
        }
        before = Some((status, now));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Bytes of log that the source has written since a look.
async fn written(source: &Result<Source, CommandError>, before: &Status) -> Option<u64> {
    let then = Lsn(before.source.position?);
    source.as_ref().ok()?.behind(then).await.ok()
}

async fn one(
    config: &Config,
    target: &Target,
    source: &Result<Source, CommandError>,
) -> Result<Status, CommandError> {
    let pipeline = ends::pipeline(config, target).await?;
    let asked = source.as_ref().map_err(|why| why.message.as_str());
    let mut status = look(target, asked, &pipeline).await?;
    if let (Ok(source), None) = (source, &status.source.unreachable) {
        status.unmapped = new_columns(config, target, source).await;
    }
    Ok(status)
}

/// Columns that came since the mapping was stored. What cannot be asked is none, and no reason to
/// show nothing of all else.
async fn new_columns(config: &Config, target: &Target, source: &Source) -> Option<Vec<String>> {
    let now = source.catalog(&config.source_schema()).await.ok()?;
    let onto = target.catalog(&config.target_schema()).await.ok()?;
    let found = unmapped::since_stored(config, target, (&now, &onto))
        .await
        .ok()?;
    let shown = found
        .iter()
        .map(|new| format!("{} {}.{}", new.end, new.table, new.column));
    Some(shown.collect())
}

/// Draws over the lines of the look before, on a terminal; elsewhere below them.
fn draw(text: &str, lines: usize) -> Result<usize, CommandError> {
    let terminal = Term::stdout();
    if terminal.is_term() {
        terminal
            .clear_last_lines(lines)
            .map_err(CommandError::failed)?;
    }
    terminal.write_str(text).map_err(CommandError::failed)?;
    Ok(text.lines().count())
}
