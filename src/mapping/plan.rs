//! A compiled mapping: immutable, made once from the configuration and both schemas.

use std::sync::Arc;

use super::expr::Expr;
use crate::cart::layout::Layout;
use crate::config::{FieldRule, Merge};
use crate::sqltype::SqlType;

/// Everything that `map` needs.
#[derive(Debug)]
pub struct Mapping {
    pub layout: Arc<Layout>,
    /// Over the header row; none means always live.
    pub live: Option<Expr>,
    pub intos: Vec<Arc<Into>>,
    /// Column of the header row that dates a change.
    pub changed_at: Option<usize>,
    pub merge: Merge,
    /// Each way from a row to its header is an enforced foreign key: a header's insert in the log
    /// begins a whole cart.
    pub trusted_births: bool,
    /// What zoneless timestamps of the source mean where they are cast to a moment.
    pub time_zone: chrono_tz::Tz,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Header,
    Line,
    Detail,
}

/// How a write to a target row is guarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// An integer column that we set to 1 on insert and increase with each patch.
    Counter(String),
    /// A timestamp column that no expression maps.
    Clock(String),
    /// A column that the mapping itself sets: compared together with the row.
    Mapped(String),
    /// Postgres' row version.
    Xmin,
    /// The mapped columns equal what we last wrote.
    Row,
}

/// What becomes of a target row whose source is gone.
#[derive(Debug)]
pub enum Fate {
    Delete,
    Keep,
    /// Indices into [`Into::columns`] with the expression that each takes.
    Set(Vec<(usize, Expr)>),
}

/// One `[[into]]`: a target table, fed by one row for each row of `per`.
#[derive(Debug)]
pub struct Into {
    pub schema: String,
    pub table: String,
    /// Index of the source table in the layout.
    pub per: usize,
    pub role: Role,
    pub lock: Lock,
    pub filter: Option<Expr>,
    pub key: Vec<KeyColumn>,
    pub columns: Vec<MappedColumn>,
    pub ended: Fate,
    pub deleted: Fate,
    pub closed: Option<Closed>,
    /// The target table has triggers that can change what we write.
    pub has_triggers: bool,
    /// Another cart could give one of its rows, for all that the keys tell.
    pub shareable: bool,
    pub line: Option<Line>,
}

#[derive(Debug)]
pub struct KeyColumn {
    pub name: String,
    pub ty: SqlType,
    pub expr: Expr,
}

#[derive(Debug)]
pub struct MappedColumn {
    pub name: String,
    pub ty: SqlType,
    /// None where only `ended` or `deleted` set it: null while the row lives.
    pub expr: Option<Expr>,
    /// Written on insert only, never compared.
    pub once: bool,
    /// Where it differs from `[merge] fields`.
    pub merge: Option<FieldRule>,
}

/// The state in which a target row belongs to the new backend.
#[derive(Debug)]
pub struct Closed {
    /// The condition in the target's SQL, over the row alias `t`.
    pub sql: String,
    /// The target columns that it names.
    pub columns: Vec<String>,
}

/// What makes two lines the same line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Target columns.
    pub product: String,
    pub quantity: String,
    pub max_quantity: i64,
    /// The target columns that name the line's cart, and the header's key columns they hold.
    pub cart: Vec<(String, String)>,
}

impl Mapping {
    /// Whether a target row holds an identifier that is made under the pipeline's key.
    pub fn uses_secret(&self) -> bool {
        let fate = |fate: &Fate| match fate {
            Fate::Set(sets) => sets.iter().any(|(_, expr)| expr.uses_secret()),
            Fate::Delete | Fate::Keep => false,
        };
        self.intos.iter().any(|into| {
            let columns = into.columns.iter().filter_map(|c| c.expr.as_ref());
            let mut exprs = into.key.iter().map(|key| &key.expr).chain(columns);
            exprs.any(Expr::uses_secret) || fate(&into.ended) || fate(&into.deleted)
        })
    }
}

impl Into {
    /// `schema.table`, for people.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}
