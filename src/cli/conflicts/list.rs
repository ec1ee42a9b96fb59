//! `cartage conflicts list`: which carts, when, and how often.

use serde_json::json;

use super::{record_json, record_text};
use crate::cli::CommandError;
use crate::target::control::conflicts::{self, Which};
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;

pub async fn run(
    target: &Target,
    pipeline: &PipelineRow,
    which: Which,
    limit: u64,
    as_json: bool,
) -> Result<(), CommandError> {
    let records = conflicts::list(target, pipeline.id, &which, limit.max(1)).await?;
    let all = Which {
        before: None,
        ..which.clone()
    };
    let total = conflicts::count(target, pipeline.id, &all).await?;
    let last = records.last().map(|record| record.id);
    let rest = Which {
        before: last,
        ..which
    };
    let next = match last {
        Some(_) => conflicts::list(target, pipeline.id, &rest, 1).await?,
        None => Vec::new(),
    };
    let next = last.filter(|_| !next.is_empty());
    if as_json {
        let records: Vec<_> = records.iter().map(|r| record_json(pipeline, r)).collect();
        let document = json!({ "conflicts": records, "total": total, "next": next });
        println!("{document}");
        return Ok(());
    }
    if records.is_empty() {
        println!("No conflict is recorded.");
    }
    for record in &records {
        println!("{}", record_text(pipeline, record));
    }
    if let Some(next) = next {
        println!(
            "{} of {total}; go on: cartage conflicts list --before {next}",
            records.len()
        );
    }
    Ok(())
}
