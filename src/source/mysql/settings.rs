//! How a server must log for its changes to be followed.

use std::collections::HashMap;

use super::session::{Session, field};
use crate::mysql::connect::Flavor;
use crate::source::error::AskError;

/// The server's global settings, by name.
#[derive(Debug)]
pub struct Settings(HashMap<String, String>);

/// A setting under which the log does not tell enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub what: String,
    pub sql: Option<String>,
}

impl Settings {
    pub async fn read(session: &Session) -> Result<Self, AskError> {
        let mut settings = HashMap::new();
        for row in session.plain("SHOW GLOBAL VARIABLES").await? {
            settings.insert(field(&row, "Variable_name")?, field(&row, "Value")?);
        }
        Ok(Self(settings))
    }

    pub fn is(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.is(name)?.parse().ok()
    }

    /// What is wrong with the way in which the server logs. Sessions may log otherwise: what they
    /// logged is looked at where it comes.
    pub fn wrong(&self, flavor: Flavor) -> Vec<Wrong> {
        if self.is("log_bin") != Some("ON") {
            return vec![Wrong {
                what: "the server writes no binary log; start it with log_bin and \
                       binlog_format = ROW"
                    .to_owned(),
                sql: None,
            }];
        }
        let mut wrong = Vec::new();
        // What a later version no longer knows, it has no other value of.
        for (setting, wanted) in [
            ("binlog_format", "ROW"),
            ("binlog_row_image", "FULL"),
            ("binlog_row_value_options", ""),
        ] {
            let other = |value: &&str| !value.eq_ignore_ascii_case(wanted);
            if let Some(value) = self.is(setting).filter(other) {
                wrong.push(Wrong {
                    what: format!(
                        "{setting} is {value}; it must be '{wanted}', also in sessions that are \
                         open already and in the server's option file"
                    ),
                    sql: Some(format!("SET GLOBAL {setting} = '{wanted}'")),
                });
            }
        }
        if self.lacks_ids(flavor) && self.is("binlog_order_commits") == Some("OFF") {
            wrong.push(Wrong {
                what: "binlog_order_commits is OFF and gtid_mode is not ON: neither ids nor their \
                       order tell which transactions a snapshot sees"
                    .to_owned(),
                sql: Some("SET GLOBAL binlog_order_commits = ON".to_owned()),
            });
        }
        wrong
    }

    /// Not all transactions have ids. MariaDB's always have.
    pub fn lacks_ids(&self, flavor: Flavor) -> bool {
        flavor == Flavor::MySql && self.is("gtid_mode") != Some("ON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(flavor: Flavor, settings: &[(&str, &str)]) -> usize {
        let pairs = settings.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        Settings(pairs.collect()).wrong(flavor).len()
    }

    #[test]
    fn a_log_without_whole_rows_or_any_order_is_no_source() {
        let log = ("log_bin", "ON");
        let rows = ("binlog_format", "row");
        assert_eq!(wrong(Flavor::MariaDb, &[("log_bin", "OFF")]), 1);
        assert_eq!(wrong(Flavor::MariaDb, &[log, rows]), 0);
        assert_eq!(
            wrong(Flavor::MariaDb, &[log, ("binlog_format", "MIXED")]),
            1
        );
        let image = ("binlog_row_image", "NOBLOB");
        assert_eq!(wrong(Flavor::MariaDb, &[log, rows, image]), 1);
        let unordered = ("binlog_order_commits", "OFF");
        assert_eq!(wrong(Flavor::MySql, &[log, rows]), 0);
        assert_eq!(wrong(Flavor::MySql, &[log, rows, unordered]), 1);
        let ids = ("gtid_mode", "ON");
        assert_eq!(wrong(Flavor::MySql, &[log, rows, unordered, ids]), 0);
    }
}
