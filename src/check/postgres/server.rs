//! What a Postgres source must be: its version, its log, and how much of that it keeps.

use tokio_postgres::{Client, Error};

use super::version::common;
use crate::check::report::{End, Report};

/// `slot` is the pipeline's own: once it is there, no other one is needed.
pub async fn check(source: &Client, slot: &str, report: &mut Report) -> Result<(), Error> {
    common(source, End::Source, report).await?;
    let sql = "
        SELECT pg_catalog.current_setting('wal_level') AS level,
               pg_catalog.current_setting('max_replication_slots')::bigint AS slots,
               (SELECT count(*) FROM pg_catalog.pg_replication_slots) AS slots_used,
               pg_catalog.current_setting('max_wal_senders')::bigint AS senders,
               (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS senders_used,
               EXISTS (SELECT FROM pg_catalog.pg_replication_slots
                       WHERE slot_name = $1) AS slots_ours,
               EXISTS (SELECT FROM pg_catalog.pg_replication_slots
                       WHERE slot_name = $1 AND active) AS senders_ours,
               (SELECT setting::bigint FROM pg_catalog.pg_settings
                WHERE name = 'max_slot_wal_keep_size') AS keep_mb";
    let row = source.query_one(sql, &[&slot]).await?;
    let level: &str = row.try_get("level")?;
    if level == "logical" {
        report.pass("log level", End::Source, "wal_level is logical");
    } else {
        report.fail(
            "log level",
            End::Source,
            format!("wal_level is {level}; it must be logical, and the server restarted"),
            Some("ALTER SYSTEM SET wal_level = logical".to_owned()),
        );
    }
    for (check, setting, limit, used, ours) in [
        (
            "slots free",
            "max_replication_slots",
            "slots",
            "slots_used",
            "slots_ours",
        ),
        (
            "senders free",
            "max_wal_senders",
            "senders",
            "senders_used",
            "senders_ours",
        ),
    ] {
        let (limit, used): (i64, i64) = (row.try_get(limit)?, row.try_get(used)?);
        let ours: bool = row.try_get(ours)?;
        let which = if ours { ", ours among them" } else { "" };
        let message = format!("{used} of {limit} ({setting}) in use{which}");
        if used < limit || ours {
            report.pass(check, End::Source, message);
        } else if row.try_get("slots_ours")? {
            // It was enough before, and the daemon waits for it.
            let message = format!("{message}; the daemon waits for a free one");
            report.warn(check, End::Source, message, None);
        } else {
            let more = limit + 2;
            report.fail(
                check,
                End::Source,
                format!("{message}; raise it and restart the server"),
                Some(format!("ALTER SYSTEM SET {setting} = {more}")),
            );
        }
    }
    retention(row.try_get("keep_mb")?, source, report).await
}

/// How much log the server keeps for a slot, against how fast it writes it.
async fn retention(keep_mb: i64, source: &Client, report: &mut Report) -> Result<(), Error> {
    if keep_mb < 0 {
        report.warn(
            "log retention",
            End::Source,
            "max_slot_wal_keep_size is unlimited: the log is kept until cartage has read it, \
             so watch the disk while the daemon is down",
            None,
        );
        return Ok(());
    }
    // pg_stat_wal is new in 14: bytes since its reset.
    let sql = "
        SELECT (wal_bytes / greatest(extract(epoch FROM now() - stats_reset), 1))::float8
        FROM pg_catalog.pg_stat_wal";
    let rate: Option<f64> = source.query_one(sql, &[]).await?.try_get(0)?;
    let keep = keep_mb as f64 * 1024.0 * 1024.0;
    let hours = match rate {
        Some(rate) if rate > 0.0 => keep / rate / 3600.0,
        _ => f64::INFINITY,
    };
    let message = format!("max_slot_wal_keep_size is {keep_mb} MB");
    if hours < 24.0 {
        report.warn(
            "log retention",
            End::Source,
            format!(
                "{message}: at the rate so far the slot is lost after {hours:.1} h without the \
                 daemon"
            ),
            Some("ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'".to_owned()),
        );
    } else {
        report.pass("log retention", End::Source, message);
    }
    Ok(())
}
