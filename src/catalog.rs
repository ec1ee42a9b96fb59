//! What a database says of the tables that a pipeline touches. Each kind reads its own system
//! catalogs into this.

use serde::{Deserialize, Serialize};

use crate::sqltype::SqlType;

/// Tables by name, as one database has them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Catalog {
    pub tables: Vec<TableInfo>,
    /// Schemas of the search path in order, to resolve unqualified names.
    pub search_path: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKind {
    Ordinary,
    Partitioned,
    /// A partition of another table.
    Leaf,
    /// A view, foreign table or anything else that holds no rows of its own.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableInfo {
    /// Postgres' own number of the table; 0 where there is none.
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub kind: TableKind,
    pub columns: Vec<ColumnInfo>,
    pub primary_key: Vec<String>,
    /// Columns of each complete (not partial, not over expressions) unique index.
    pub uniques: Vec<Vec<String>>,
    /// Leading columns of every index.
    pub indexes: Vec<Vec<String>>,
    pub foreign_keys: Vec<ForeignKey>,
    /// Enabled triggers on writes that are not internal.
    pub triggers: Vec<String>,
    pub replica_identity: ReplicaIdentity,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnInfo {
    pub name: String,
    pub ty: SqlType,
    pub not_null: bool,
    pub has_default: bool,
    /// `GENERATED ALWAYS AS (…)`, or an identity column that is `ALWAYS`.
    pub generated: bool,
    pub identity: bool,
    /// Its default gives each row a value that no other one has: a sequence, a random UUID.
    #[serde(default)]
    pub distinct_default: bool,
    /// Its collation takes texts for equal only where their bytes are.
    #[serde(default)]
    pub bytewise: bool,
    /// `attnum`: it stays when the column is renamed, and another column never gets it.
    #[serde(default)]
    pub number: i16,
    /// The declared type, as the log names it.
    #[serde(default)]
    pub type_oid: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub schema: String,
    pub table: String,
    pub referenced: Vec<String>,
    pub on_delete_cascade: bool,
    pub deferrable: bool,
    /// Validated and enforced.
    pub enforced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaIdentity {
    /// The primary key, where there is one.
    Default,
    Nothing,
    Full,
    /// The columns of the chosen index.
    Index(Vec<String>),
}

impl Catalog {
    /// A table by `schema.table` or by a name looked up along the search path.
    pub fn find(&self, name: &str) -> Option<&TableInfo> {
        if let Some((schema, table)) = name.split_once('.') {
            return self
                .tables
                .iter()
                .find(|t| t.schema == schema && t.name == table);
        }
        self.search_path.iter().find_map(|s| {
            self.tables
                .iter()
                .find(|t| &t.schema == s && t.name == name)
        })
    }
}

impl TableInfo {
    pub fn column(&self, name: &str) -> Option<&ColumnInfo> {
        self.columns.iter().find(|c| c.name == name)
    }
}
