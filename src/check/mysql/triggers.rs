//! Triggers in MySQL and MariaDB. Without the privilege to see them there are none, which is said
//! beside the other privileges.

use sqlparser::dialect::MySqlDialect;

use super::target::text;
use crate::catalog::Catalog;
use crate::check::report::Report;
use crate::check::triggers::{Trigger, writes_of};
use crate::config::Config;
use crate::switch::{self, Mutant};
use crate::target::error::TargetError;
use crate::target::mysql::Session;

const TRIGGERS: &str = "
    SELECT trigger_name, action_statement FROM information_schema.triggers
    WHERE event_object_schema = ? AND event_object_table = ? ORDER BY trigger_name";

pub async fn check(
    session: &Session,
    config: &Config,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), TargetError> {
    if switch::mutant(Mutant::TriggersTrusted) {
        return Ok(());
    }
    for table in &catalog.tables {
        let place = vec![table.schema.as_str().into(), table.name.as_str().into()];
        for row in session.query(TRIGGERS.to_owned(), place).await? {
            let (Some(name), Some(source)) = (text(&row, 0), text(&row, 1)) else {
                continue;
            };
            let trigger = Trigger {
                config,
                catalog,
                table,
                name: &name,
            };
            trigger.judge(&writes_of(&MySqlDialect {}, &source), report);
        }
    }
    Ok(())
}
