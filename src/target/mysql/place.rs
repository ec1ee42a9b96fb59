//! A target table as the server describes it: its names, and its values in statements and answers.

use std::sync::Arc;

use mysql_async::Value;

use super::session::State;
use crate::cart::image::Cell;
use crate::mapping::expr::canonical;
use crate::mapping::map::RowKey;
use crate::mapping::plan::{Into, Lock};
use crate::mysql::catalog::{LogColumn, LogTable};
use crate::mysql::literal::literal;
use crate::mysql::sql;
use crate::mysql::stored::stored;
use crate::mysql::types::Kind;
use crate::mysql::value::of_query;
use crate::target::error::TargetError;

pub(super) struct Place<'a> {
    pub into: &'a Into,
    pub table: Arc<LogTable>,
}

impl<'a> Place<'a> {
    pub async fn of(state: &mut State, into: &'a Into) -> Result<Self, TargetError> {
        let table = state.described(into).await?;
        Ok(Self { into, table })
    }

    pub fn name(&self) -> String {
        sql::qualified(&self.into.schema, &self.into.table)
    }

    pub fn column(&self, name: &str) -> Result<&LogColumn, TargetError> {
        Ok(&self.table.columns[self.at(name)?])
    }

    /// A column's place in the table.
    pub fn at(&self, name: &str) -> Result<usize, TargetError> {
        let found = self.table.columns.iter().position(|c| c.name == name);
        found.ok_or_else(|| TargetError::NoColumn {
            table: self.into.full_name(),
            column: name.to_owned(),
        })
    }

    /// The column of the lock token.
    pub fn token(&self) -> Result<Option<usize>, TargetError> {
        match &self.into.lock {
            Lock::Counter(column) | Lock::Clock(column) => self.at(column).map(Some),
            Lock::Mapped(_) | Lock::Xmin | Lock::Row => Ok(None),
        }
    }

    pub fn keys(&self) -> Result<Vec<usize>, TargetError> {
        self.into.key.iter().map(|k| self.at(&k.name)).collect()
    }

    /// A value for a column of this name; without a text it is null.
    pub fn value(&self, name: &str, text: Option<&str>) -> Result<String, TargetError> {
        let column = self.column(name)?;
        Ok(match text {
            Some(text) => literal(&column.kind, text),
            // In place of null, servers put the present time into a column that takes none.
            None if !column.nullable && matches!(column.kind, Kind::Timestamp { .. }) => {
                "''".into()
            }
            None => "NULL".into(),
        })
    }

    /// The texts of a key as its columns keep them.
    pub fn kept(&self, key: &[Box<str>]) -> Result<Vec<Box<str>>, TargetError> {
        let parts = self.into.key.iter().zip(key);
        parts
            .map(|(part, text)| Ok(stored(self.column(&part.name)?, text)))
            .collect()
    }

    /// The values of a key as its columns keep them.
    pub fn key_values(&self, key: &[Box<str>]) -> Result<Vec<String>, TargetError> {
        let parts = self.into.key.iter().zip(self.kept(key)?);
        parts
            .map(|(part, text)| Ok(literal(&self.column(&part.name)?.kind, &text)))
            .collect()
    }

    pub fn key_names(&self) -> Vec<String> {
        names(self.into.key.iter().map(|k| k.name.as_str()))
    }

    /// Keys as [`sql::among`] takes them.
    pub fn key_parts<'k>(
        &self,
        keys: impl Iterator<Item = &'k RowKey>,
    ) -> Result<Vec<String>, TargetError> {
        let names = self.key_names();
        keys.map(|key| Ok(sql::one_of(&names, &self.key_values(key)?)))
            .collect()
    }

    /// One row by its key. What a collation takes for the same text is another row.
    pub fn is_row(&self, key: &[Box<str>]) -> Result<String, TargetError> {
        let mut parts = Vec::new();
        for ((part, text), value) in self.into.key.iter().zip(key).zip(self.key_values(key)?) {
            let (column, name) = (self.column(&part.name)?, sql::identifier(&part.name));
            parts.push(format!("{name} = {value}"));
            if matches!(column.kind, Kind::Text(_)) {
                let bytes = sql::binary(stored(column, text).as_bytes());
                parts.push(format!(
                    "CAST(CONVERT({name} USING utf8mb4) AS BINARY) = {bytes}"
                ));
            }
        }
        Ok(parts.join(" AND "))
    }

    /// A key in the form in which it is told from others, as it was written or as it is printed.
    pub fn normal<'k>(
        &self,
        key: impl Iterator<Item = &'k str>,
    ) -> Result<Vec<String>, TargetError> {
        let parts = self.into.key.iter().zip(key);
        parts
            .map(|(part, text)| {
                let column = self.column(&part.name)?;
                Ok(column.ty.key_text(&stored(column, text)).to_owned())
            })
            .collect()
    }
}

pub(super) fn names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.map(sql::identifier).collect()
}

/// Parts of statements, so many at a time and of no more than so many bytes, unless one alone has
/// more.
pub(super) fn portions(parts: Vec<String>, most: usize, bytes: usize) -> Vec<Vec<String>> {
    let mut portions: Vec<Vec<String>> = Vec::new();
    let mut length = 0;
    for part in parts {
        length += part.len() + 2;
        match portions.last_mut() {
            Some(last) if last.len() < most && length <= bytes => last.push(part),
            _ => {
                length = part.len() + 2;
                portions.push(vec![part]);
            }
        }
    }
    portions
}

/// A value in the form in which values are compared.
pub(super) fn cell(value: &Value, column: &LogColumn) -> Result<Cell, TargetError> {
    Ok(match of_query(value, column)? {
        Cell::Text(text) => match canonical(&text, &column.ty) {
            Ok(canonical) => Cell::Text(canonical.into()),
            Err(_) => Cell::Text(text),
        },
        cell => cell,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_have_room_for_each_part() {
        let parts = ["aaa", "b", "cc", "ddddddddd", "e", "f", "g", "h"].map(String::from);
        let portions = portions(parts.to_vec(), 3, 10);
        let joined: Vec<String> = portions.iter().map(|p| p.join(",")).collect();
        assert_eq!(joined, ["aaa,b", "cc", "ddddddddd", "e,f,g", "h"]);
    }
}
