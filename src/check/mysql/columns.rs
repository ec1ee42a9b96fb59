//! Columns of a source whose values cannot be read, by their names: the daemon would stop at the first
//! row. And what its dates without a zone may mean.

use chrono::{Offset as _, TimeZone as _, Utc};

use crate::cart::layout::Layout;
use crate::check::Schemas;
use crate::check::report::{End, Report};
use crate::check::spell::Spell;
use crate::config::{Config, Kind};
use crate::mapping::compile::compile;
use crate::mysql::catalog::LogTable;
use crate::mysql::value::refusal;
use crate::source::error::AskError;
use crate::source::mysql::Session;
use crate::source::mysql::session::field;
use crate::sqltype::Class;

/// Of the columns that the mapping reads. Where it does not compile, that is told elsewhere.
pub async fn check(
    config: &Config,
    session: &Session,
    schemas: &Schemas,
    report: &mut Report,
) -> Result<(), AskError> {
    let Ok(compiled) = compile(config, &schemas.source, &schemas.whole_target()) else {
        return Ok(());
    };
    let layout = &compiled.mapping.layout;
    let mut all = true;
    for table in layout.stored() {
        let described = session.described(table).await?;
        let name = Spell(Kind::Mysql).name(&table.schema, &table.name);
        let read = described
            .columns
            .iter()
            .filter(|known| table.columns.iter().any(|c| c.name == known.name));
        for refused in read.filter_map(refusal) {
            all = false;
            let message = format!("{name}: {refused}");
            report.fail("readable columns", End::Source, message, None);
        }
    }
    if all {
        let message = "each column that the mapping reads can be read";
        report.pass("readable columns", End::Source, message);
    }
    time_zone(config, session, layout, report).await
}

/// Times of which MariaDB's log does not say how long they are: none of the table's rows can be read,
/// mapped or not.
pub fn old_times(described: &LogTable, name: &str, report: &mut Report) {
    for column in &described.columns {
        if column.ty.fraction > Some(0) && column.ty.name.contains("mariadb-5.3") {
            report.fail(
                "time format",
                End::Source,
                format!(
                    "the column {} of {name} is {}: in that form, which is older than MariaDB \
                     10.1, the log does not say how long its values are",
                    column.name, column.ty.name
                ),
                Some(format!(
                    "SET GLOBAL mysql56_temporal_format = ON; ALTER TABLE {name} FORCE"
                )),
            );
        }
    }
}

/// Seconds of the server's own clock before that of Greenwich. A zone that it has a name of is not
/// known to every server.
const OFFSET: &str = "SELECT CAST(timestampdiff(SECOND, utc_timestamp(), \
    convert_tz(utc_timestamp(), '+00:00', @@global.time_zone)) AS signed) AS ahead, \
    CASE @@global.time_zone WHEN 'SYSTEM' THEN @@system_time_zone ELSE @@global.time_zone END AS zone";

/// Shops write dates without a zone by the server's clock, as a rule.
async fn time_zone(
    config: &Config,
    session: &Session,
    layout: &Layout,
    report: &mut Report,
) -> Result<(), AskError> {
    let mut columns = layout.tables.iter().flat_map(|table| &table.columns);
    let Ok(zone) = config.source.time_zone.parse::<chrono_tz::Tz>() else {
        return Ok(());
    };
    if !columns.any(|column| column.ty.class == Class::Timestamp) {
        return Ok(());
    }
    let row = session.first(OFFSET).await?.ok_or(AskError::Answer)?;
    let (there, named): (Option<i64>, String) = (field(&row, "ahead")?, field(&row, "zone")?);
    let ours = zone.offset_from_utc_datetime(&Utc::now().naive_utc()).fix();
    let ours = i64::from(ours.local_minus_utc());
    match there {
        // Both clocks were read, one after the other.
        Some(there) if (there - ours).abs() > 60 => report.warn(
            "time zone",
            End::Source,
            format!(
                "the server's clock is in {named} ({}), and [source] time_zone is {zone} ({} now): \
                 if the shop writes DATETIME by the server's clock, give its zone as time_zone",
                hours(there),
                hours(ours)
            ),
            None,
        ),
        Some(_) => report.pass(
            "time zone",
            End::Source,
            format!("DATETIME is taken in {zone}, in which the server's clock is too"),
        ),
        None => report.pass(
            "time zone",
            End::Source,
            format!("DATETIME is taken in {zone}; the server's clock is in {named}"),
        ),
    }
    Ok(())
}

fn hours(seconds: i64) -> String {
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
