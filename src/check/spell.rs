//! Names and statements in the words of an end's server.

use crate::catalog::TableInfo;
use crate::config::Kind;
use crate::mysql::sql::{identifier, qualified};
use crate::source::postgres::tables::{quoted, quoted_name};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell(pub Kind);

impl Spell {
    pub fn table(self, table: &TableInfo) -> String {
        self.name(&table.schema, &table.name)
    }

    pub fn name(self, schema: &str, table: &str) -> String {
        match self.0 {
            Kind::Postgres => quoted(schema, table),
            Kind::Mysql => qualified(schema, table),
        }
    }

    pub fn column(self, name: &str) -> String {
        match self.0 {
            Kind::Postgres => quoted_name(name),
            Kind::Mysql => identifier(name),
        }
    }

    /// A statement that makes an index; it keeps nobody from writing meanwhile.
    pub fn index(self, table: &str, columns: &str) -> String {
        match self.0 {
            Kind::Postgres => format!("CREATE INDEX CONCURRENTLY ON {table} ({columns})"),
            Kind::Mysql => format!("ALTER TABLE {table} ADD INDEX ({columns})"),
        }
    }

    /// The same for one that is unique.
    pub fn unique(self, table: &str, columns: &str) -> String {
        match self.0 {
            Kind::Postgres => format!("CREATE UNIQUE INDEX CONCURRENTLY ON {table} ({columns})"),
            Kind::Mysql => format!("ALTER TABLE {table} ADD UNIQUE INDEX ({columns})"),
        }
    }
}
