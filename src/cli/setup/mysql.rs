//! What `setup` does where the source is MySQL or MariaDB: nothing there. The server keeps its log by
//! itself, and the pipeline only remembers where in it it stands.

use super::{register, registration, start_over};
use crate::cart::layout::Layout;
use crate::cli::CommandError;
use crate::config::Config;
use crate::source::Spelling;
use crate::source::change::Lsn;
use crate::source::error::IdentityError;
use crate::source::identity::Lineage;
use crate::source::mysql::identity::{self, Facts};
use crate::source::mysql::settings::Settings;
use crate::source::mysql::{LogTables, Session, trust};
use crate::switch::{self, Place};
use crate::target::control::migrate::migrate;
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::session::Target;

pub struct Plan {
    facts: Facts,
    /// As they were where the log ended, unless they were altered just then.
    tables: Option<LogTables>,
    lineage: Lineage,
    checkpoint: Step,
    pub steps: Vec<String>,
}

/// What is to be done about the checkpoint.
enum Step {
    Keep,
    Create,
    /// What came after it is in no log that can be read: go on from the end, and all carts again.
    Replace,
}

pub async fn plan(
    config: &Config,
    session: &Session,
    target: &Target,
    layout: &Layout,
) -> Result<Plan, CommandError> {
    let wrong = Settings::read(session).await?.wrong(session.flavor);
    if !wrong.is_empty() {
        let told = wrong.iter().map(|wrong| match &wrong.sql {
            Some(sql) => format!("{}; run on the source: {sql}", wrong.what),
            None => wrong.what.clone(),
        });
        return Err(CommandError::failed(told.collect::<Vec<_>>().join("\n")));
    }
    let before = tables(config, session, layout).await?;
    let facts = session.facts().await.map_err(CommandError::failed)?;
    facts.filters.verify(layout).map_err(CommandError::failed)?;
    let after = tables(config, session, layout).await?;
    let lineage = Lineage {
        system: facts.server.clone(),
        timeline: None,
    };
    let (row, mut steps) = registration(config, target).await?;
    let checkpoint = match &row {
        Some(row) => pipeline::checkpoint(target, row.id).await?,
        None => None,
    };
    let at = Spelling::Binlog(facts.base.clone()).show(facts.end);
    let checkpoint = match checkpoint {
        None => {
            steps.push(format!(
                "target: put the checkpoint at {at}, where the source's log ends"
            ));
            Step::Create
        }
        Some(checkpoint) => {
            let why = match &row {
                Some(row) => another_log(session, row, checkpoint).await?,
                None => None,
            };
            match why {
                None => Step::Keep,
                Some(why) => {
                    steps.push(format!("target: put the checkpoint at {at}, for {why}"));
                    steps.push(
                        "target: have every cart read again (refresh --all), for the changes since \
                         the checkpoint cannot be read any more"
                            .to_owned(),
                    );
                    Step::Replace
                }
            }
        }
    };
    Ok(Plan {
        facts,
        tables: (before == after).then_some(after),
        lineage,
        checkpoint,
        steps,
    })
}

async fn tables(
    config: &Config,
    session: &Session,
    layout: &Layout,
) -> Result<LogTables, CommandError> {
    let (_, described) = session.catalog(&config.source_tables()).await?;
    Ok(LogTables::of(layout, &described))
}

/// Why the source's log is not the one that the checkpoint speaks of.
async fn another_log(
    session: &Session,
    row: &PipelineRow,
    checkpoint: Lsn,
) -> Result<Option<&'static str>, CommandError> {
    use identity::IdentityError as E;
    match trust::goes_on(session, row, checkpoint).await {
        Ok(_) => Ok(None),
        Err(IdentityError::Mysql(E::OtherServer { .. })) => {
            Ok(Some("the source is another server"))
        }
        Err(IdentityError::Mysql(E::Purged { .. })) => {
            Ok(Some("the source has removed log that was not read"))
        }
        Err(IdentityError::Mysql(
            E::OtherLog { .. } | E::Reset { .. } | E::OtherFile { .. } | E::Behind { .. },
        )) => Ok(Some("the source's log was reset")),
        Err(IdentityError::NotSetUp(_)) => Ok(Some("nothing is known of the log before it")),
        Err(error) => Err(CommandError::failed(error)),
    }
}

/// The row before the checkpoint, and the name of the log's files before a position in them. A new state
/// and a new checkpoint in place of others come as one.
pub async fn carry_out(config: &Config, plan: Plan, target: &Target) -> Result<(), CommandError> {
    migrate(&config.target)
        .await
        .map_err(CommandError::failed)?;
    switch::place(Place::Migrated);
    let row = register(config, target, &plan.lineage, None, None).await?;
    switch::place(Place::Registered);
    let state = serde_json::to_value(trust::at_end(&plan.facts, plan.tables.as_ref()));
    let state = state.map_err(CommandError::failed)?;
    let end = plan.facts.end;
    match plan.checkpoint {
        Step::Keep => {}
        Step::Create => {
            pipeline::set_publication_state(target, row.id, &state).await?;
            switch::place(Place::StateStored);
            pipeline::create_checkpoint(target, row.id, end).await?;
            switch::place(Place::CheckpointMade);
        }
        Step::Replace => start_over(target, row.id, end, &plan.lineage, Some(&state)).await?,
    }
    Ok(())
}
