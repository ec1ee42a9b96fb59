//! Which rows a synthetic cart has, what is changed in it, and how its rows are found again.

use serde::{Deserialize, Serialize};

use super::template::{self, Part};

/// Kept with each cart, so that it can be removed by whoever comes later, under any configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order in which they are made.
    pub rows: Vec<Made>,
    pub changes: Vec<Change>,
    /// Rows that the shop itself puts below ours, removed before ours are.
    pub removes: Vec<Remove>,
}

/// A column and the template of its value.
pub type Value = (String, String);

/// A row that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// As later rows call it.
    pub name: String,
    pub table: String,
    pub values: Vec<Value>,
    /// The column that the server fills, and that is read back.
    pub returning: Option<String>,
}

/// A change of a row that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub row: String,
    pub set: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    pub table: String,
    pub matches: Vec<Value>,
}

/// A template that was read before.
pub fn parts(template: &str) -> Vec<Part> {
    template::parse(template).unwrap_or_default()
}

impl Made {
    /// The values by which it is found again.
    pub fn ties(&self) -> impl Iterator<Item = &Value> {
        self.values
            .iter()
            .filter(|(_, template)| template::ties(&parts(template)))
    }
}

impl Plan {
    pub fn row(&self, name: &str) -> Option<&Made> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// Each table that is written, once, with what must be granted on it.
    pub fn privileges(&self) -> Vec<(String, Vec<&'static str>)> {
        let mut all: Vec<(String, Vec<&'static str>)> = Vec::new();
        let mut need = |table: &str, privilege: &'static str| {
            let at = match all.iter().position(|(known, _)| known == table) {
                Some(at) => at,
                None => {
                    all.push((table.to_owned(), vec!["SELECT"]));
                    all.len() - 1
                }
            };
            if !all[at].1.contains(&privilege) {
                all[at].1.push(privilege);
            }
        };
        for row in &self.rows {
            need(&row.table, "INSERT");
        }
        for change in &self.changes {
            if let Some(row) = self.row(&change.row) {
                need(&row.table, "UPDATE");
            }
        }
        for row in &self.rows {
            need(&row.table, "DELETE");
        }
        for remove in &self.removes {
            need(&remove.table, "DELETE");
        }
        all
    }

    pub fn tables(&self) -> Vec<String> {
        self.privileges().into_iter().map(|(t, _)| t).collect()
    }
}
