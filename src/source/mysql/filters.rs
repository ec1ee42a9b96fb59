//! What a server leaves out of its log, by database.

use std::collections::BTreeSet;

use mysql_async::Row;

use super::identity::IdentityError;
use crate::cart::layout::Layout;

/// `binlog_do_db` and `binlog_ignore_db`. Changes of rows are left out by the database of their table,
/// statements by the session's current one (MySQL manual, "Evaluation of Database-Level Replication and
/// Binary Logging Options").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    only: Vec<String>,
    never: Vec<String>,
}

impl Filters {
    /// Of the row that tells where the log ends: lists without quotes.
    pub(super) fn of(row: &Row) -> Self {
        let list = |column: &str| {
            let text = row.get_opt::<Option<String>, _>(column);
            let text = text.and_then(Result::ok).flatten().unwrap_or_default();
            let names = text.split(',').filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        Self {
            only: list("Binlog_Do_DB"),
            never: list("Binlog_Ignore_DB"),
        }
    }

    /// The options that are set, as they stand in the server's configuration.
    pub fn set(&self) -> Option<String> {
        let both = [
            ("binlog_do_db", &self.only),
            ("binlog_ignore_db", &self.never),
        ];
        let set = both.iter().filter(|(_, names)| !names.is_empty());
        let set: Vec<String> = set
            .map(|(option, names)| format!("{option} = {}", names.join(", ")))
            .collect();
        (!set.is_empty()).then(|| set.join(" and "))
    }

    /// Refuses a log without the changes of tables that the mapping reads.
    pub fn verify(&self, layout: &Layout) -> Result<(), IdentityError> {
        let databases: BTreeSet<&str> = layout.stored().map(|t| t.schema.as_str()).collect();
        let left_out = databases.into_iter().filter(|name| !self.logs(name));
        let left_out: Vec<&str> = left_out.collect();
        match left_out.is_empty() {
            true => Ok(()),
            false => Err(IdentityError::LeftOut {
                databases: left_out.join(", "),
                options: self.set().unwrap_or_default(),
            }),
        }
    }

    /// Where there is a list of what is logged, the other does not matter.
    fn logs(&self, database: &str) -> bool {
        let has = |names: &[String]| names.iter().any(|name| name == database);
        match self.only.is_empty() {
            true => !has(&self.never),
            false => has(&self.only),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(only: &[&str], never: &[&str]) -> Filters {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Filters {
            only: list(only),
            never: list(never),
        }
    }

    #[test]
    fn what_is_logged_comes_before_what_is_not() {
        assert!(filters(&[], &[]).logs("shop"));
        assert!(filters(&["crm", "shop"], &[]).logs("shop"));
        assert!(!filters(&["crm"], &[]).logs("shop"));
        assert!(!filters(&[], &["crm", "shop"]).logs("shop"));
        assert!(filters(&[], &["crm"]).logs("shop"));
        assert!(filters(&["shop"], &["shop"]).logs("shop"));
        assert!(!filters(&["Shop"], &[]).logs("shop"));
    }
}
