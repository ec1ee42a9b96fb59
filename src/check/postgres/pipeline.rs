//! The publication, the slot and the control rows: to be made, or still the ones we trust.

use tokio_postgres::{Client, Error};

use crate::cart::layout::Layout;
use crate::check::CheckError;
use crate::check::report::{End, Report};
use crate::config::Config;
use crate::source::AskError;
use crate::source::postgres::identity::{self, IdentityError, Verified};
use crate::source::postgres::{lineage, publication, slot};
use crate::target::control::pipeline;
use crate::target::session::Target;

pub async fn check(
    config: &Config,
    source: &Client,
    target: &Target,
    layout: &Layout,
    report: &mut Report,
) -> Result<(), CheckError> {
    let name = slot::name_of(&config.name);
    let row = if pipeline::installed(target).await? {
        pipeline::load(target, &config.name).await?
    } else {
        None
    };
    let Some(row) = row else {
        report.todo(
            "control tables",
            End::Target,
            "setup registers the pipeline",
        );
        return Ok(before_setup(&name, source, layout, report, false)
            .await
            .map_err(AskError::from)?);
    };
    report.pass("control tables", End::Target, "the pipeline is registered");
    let verified = identity::verify(source, &row, layout).await;
    let Some(checkpoint) = pipeline::checkpoint(target, row.id).await? else {
        report.todo(
            "checkpoint",
            End::Target,
            "setup was cut short; run it again",
        );
        return Ok(before_setup(&name, source, layout, report, true)
            .await
            .map_err(AskError::from)?);
    };
    let mut verified = verified.and_then(|v| v.reaches_back_to(checkpoint).map(|()| v));
    if let Ok(Verified { timeline, .. }) = verified {
        let was = row.source_timeline;
        let descends = lineage::descends(source, &config.source, was, timeline, checkpoint);
        verified = descends.await.and(verified);
    }
    match verified {
        Ok(verified) => {
            report.pass(
                "slot",
                End::Source,
                format!(
                    "{name} at {}, checkpoint at {checkpoint}",
                    verified.confirmed
                ),
            );
            report.pass("publication", End::Source, format!("{name} is whole"));
            for change in verified.changes {
                report.warn(
                    "unseen changes",
                    End::Source,
                    format!(
                        "{} {}: the daemon reads its carts again",
                        change.object, change.what
                    ),
                    None,
                );
            }
        }
        Err(IdentityError::Query(error)) => return Err(AskError::from(error).into()),
        // Found already, table by table.
        Err(IdentityError::IdentityTooSmall { .. } | IdentityError::Standby) => {}
        Err(error) => {
            let (check, sql) = match &error {
                IdentityError::PublicationMissing(_) => ("publication", None),
                IdentityError::PublicationNarrow { sql, .. } => ("publication", Some(sql.clone())),
                _ => ("slot", None),
            };
            report.fail(check, End::Source, error.to_string(), sql);
        }
    }
    Ok(())
}

async fn before_setup(
    name: &str,
    source: &Client,
    layout: &Layout,
    report: &mut Report,
    begun: bool,
) -> Result<(), Error> {
    let found = publication::find(source, name).await?;
    let statements = publication::statements(name, found.as_ref(), layout);
    if statements.is_empty() {
        report.pass("publication", End::Source, format!("{name} is whole"));
    }
    for sql in statements {
        report.todo("publication", End::Source, format!("setup runs: {sql}"));
    }
    match slot::find(source, name).await? {
        None => report.todo("slot", End::Source, format!("setup creates {name}")),
        Some(_) if begun => report.pass("slot", End::Source, format!("{name} is there")),
        Some(_) => report.fail(
            "slot",
            End::Source,
            format!(
                "there is a replication slot {name} that the target knows nothing of: rename the \
                 pipeline, or drop the slot if it is left over"
            ),
            Some(format!("SELECT pg_drop_replication_slot('{name}')")),
        ),
    }
    Ok(())
}
