//! `cartage teardown`: removes every trace of a pipeline from both ends.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::CommandError;
use super::confirm::confirm;
use crate::config::Config;
use crate::params;
use crate::source::Source;
use crate::switch::{self, Place};
use crate::synthetic::cleanup::{COMMAND, DAEMON, Sweep};
use crate::target::control::migrate;
use crate::target::control::{TABLES, pipeline};
use crate::target::session::Target;
use crate::target::words::Words;

/// How long the source may take to see that a daemon has gone, and how often that is looked at.
const LET_GO: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Drop the replication slot, the publication and the control rows of this pipeline, and the
/// control schema with the last one. Shop data stays as it is.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example: cartage --config magento.toml teardown")]
pub struct TeardownArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

struct Traces {
    source: Vec<String>,
    row: bool,
    /// The control tables, which no other pipeline uses.
    tables: bool,
    generated_secret: bool,
    /// The pipeline's number, where synthetic carts may be left over.
    synthetic: Option<i32>,
}

pub async fn run(config: &Config, args: TeardownArgs) -> Result<ExitCode, CommandError> {
    let source = Source::connect(&config.source, "teardown")
        .await
        .map_err(CommandError::failed)?;
    let target = Target::connect_to_write(&config.target, "teardown")
        .await
        .map_err(CommandError::failed)?;
    let traces = traces(config, &source, &target).await?;
    let mut steps = traces.source;
    if traces.synthetic.is_some() {
        steps.push("source: remove the synthetic carts that are left over".to_owned());
    }
    if traces.row {
        steps.push(format!(
            "target: remove the control rows of the pipeline {} (ledger, checkpoint, held carts)",
            config.name
        ));
    }
    if traces.tables {
        let what = match &target {
            Target::Postgres(_) => "the schema cartage",
            Target::Mysql(_) => "the control tables, whose names begin with cartage_",
        };
        steps.push(format!("target: drop {what}, which no other pipeline uses"));
    }
    if steps.is_empty() {
        println!("No trace of the pipeline {}; nothing to do.", config.name);
        return Ok(ExitCode::SUCCESS);
    }
    if traces.generated_secret {
        println!(
            "The secret of this pipeline's ids was made by setup and goes with it: a later setup \
             gives every cart another id. To keep it, first run: cartage checkpoint export"
        );
    }
    if traces.row
        && config
            .into
            .iter()
            .any(|i| i.columns.iter().any(|c| c.allocated))
    {
        println!(
            "Which keys the new database has allocated for source rows (cartage.key_map) is \
             forgotten with it: a later setup allocates others, and carts that are in the new shop \
             then come a second time. To keep them, first run: cartage checkpoint export"
        );
    }
    let heading = format!("Removing the pipeline {}:", config.name);
    if !confirm(&heading, &steps, args.yes)? {
        return Err(CommandError::failed("nothing was done"));
    }
    // What is known of their rows goes with the control rows.
    if let Some(pipeline) = traces.synthetic {
        let sweep = Sweep {
            source: &config.source,
            target: &target,
            pipeline,
            name: &config.name,
        };
        sweep.run(DAEMON, 0.0).await?;
        sweep.run(COMMAND, 0.0).await?;
    }
    // The row goes last: a teardown that is cut short is known by it, and can be run again.
    source.remove_traces(&config.name).await?;
    if traces.row {
        pipeline::delete(&target, &config.name).await?;
        switch::place(Place::RowsRemoved);
    }
    if traces.tables {
        drop_tables(&target).await?;
    }
    println!("{}", source.farewell());
    Ok(ExitCode::SUCCESS)
}

async fn traces(config: &Config, source: &Source, target: &Target) -> Result<Traces, CommandError> {
    let patience = Instant::now() + LET_GO;
    let found = loop {
        let found = source.traces(config).await?;
        match found.busy {
            None => break found,
            Some(why) if Instant::now() > patience => return Err(CommandError::failed(why)),
            Some(_) => sleep(LOOK_AGAIN).await,
        }
    };
    let source = found.steps;
    let (row, others) = if pipeline::installed(target).await? {
        let row = pipeline::load(target, &config.name).await?;
        let all = pipeline::count(target).await?;
        let others = all - i64::from(row.is_some());
        (row, others)
    } else {
        (None, 0)
    };
    let synthetic = match &row {
        // An older version's control tables know of none.
        Some(row) if migrate::judge(target).await?.is_none() => {
            let sweep = Sweep {
                source: &config.source,
                target,
                pipeline: row.id,
                name: &config.name,
            };
            (sweep.count().await? > 0).then_some(row.id)
        }
        _ => None,
    };
    let sql = Words::each(
        "SELECT pg_catalog.to_regnamespace('cartage') IS NOT NULL",
        format!(
            "SELECT EXISTS (SELECT 1 FROM information_schema.tables \
             WHERE table_schema = database() AND table_name IN ('{}'))",
            TABLES.join("', '")
        ),
    );
    let tables: bool = target.one(sql, params![]).await?.get(0)?;
    Ok(Traces {
        source,
        generated_secret: row.as_ref().is_some_and(|row| row.ids_secret.is_some()),
        row: row.is_some(),
        synthetic,
        tables: tables && others == 0,
    })
}

/// Cut short, it leaves tables by which the next teardown knows that there is more to drop.
async fn drop_tables(target: &Target) -> Result<(), CommandError> {
    match target {
        Target::Postgres(_) => target.run("DROP SCHEMA cartage CASCADE").await?,
        Target::Mysql(_) => {
            for table in TABLES {
                let sql = format!("DROP TABLE IF EXISTS {table}");
                target.execute(sql.as_str(), params![]).await?;
                switch::place(Place::TableDropped);
            }
        }
    }
    Ok(())
}
