//! Columns that came to a table of the mapping after it was stored, and that it does not know.

use super::report::{End, Report};
use super::{CheckError, Schemas};
use crate::config::Config;
use crate::daemon::unmapped::{self, Unmapped};
use crate::target::session::Target;

pub async fn check(
    config: &Config,
    target: &Target,
    schemas: &Schemas,
    report: &mut Report,
) -> Result<(), CheckError> {
    let now = (&schemas.source, &schemas.whole_target());
    for new in unmapped::since_stored(config, target, now).await? {
        let Unmapped { end, table, column } = new;
        let at = match end {
            "source" => End::Source,
            _ => End::Target,
        };
        let message = format!(
            "{table}.{column} came after the mapping was stored, and nothing maps it; it stops nothing"
        );
        report.note("unmapped columns", at, message);
    }
    Ok(())
}
