//! A compiled mapping: immutable, made once from the configuration and both schemas.

use std::sync::Arc;

use super::expr::{Expr, TargetCondition};
use super::lookup::Lookup;
use crate::cart::image::Cell;
use crate::cart::layout::Layout;
use crate::config::{FieldRule, Merge};
use crate::sqltype::SqlType;

/// Everything that `map` needs.
#[derive(Debug)]
pub struct Mapping {
    pub layout: Arc<Layout>,
    /// Over the header row; none means always live.
    pub live: Option<Expr>,
    pub lookups: Vec<Arc<Lookup>>,
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
    pub shape: Shape,
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

/// What a target row stands for, where that is not simply a row of `per`.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// One row for each element of this.
    pub payload: Option<Expr>,
    /// One row for all that agree on these.
    pub group: Vec<Expr>,
}

impl Shape {
    pub fn is_plain(&self) -> bool {
        self.payload.is_none() && self.group.is_empty()
    }

    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.payload.iter().chain(&self.group)
    }
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
    /// The condition in Postgres' SQL, over the row alias `t`; empty where only
    /// [`Closed::condition`] can judge it, which is what a target of MySQL does always.
    pub sql: String,
    /// The target columns that it names.
    pub columns: Vec<String>,
    /// The condition over the values of these columns.
    pub condition: TargetCondition,
}

impl Closed {
    /// Whether columns that are not ours make a row closed, given that ours hold what cartage left
    /// there: `cells` are those of `columns`.
    pub fn by_others(&self, cells: &[Cell], is_ours: impl Fn(&str) -> bool) -> bool {
        let ours = self.columns.iter().filter(|name| is_ours(name)).count();
        let holds = self.condition.holds(cells) == Some(true);
        if ours == 0 || ours == self.columns.len() {
            return ours == 0 && holds;
        }
        // They close it alone, or it would not be closed without them.
        let alone = self.condition.holds_without(cells, &is_ours);
        let rest = || self.condition.holds_without(cells, |name| !is_ours(name));
        alone == Some(true) || holds && rest() != Some(true)
    }
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
            let keys = into.key.iter().map(|key| &key.expr);
            let mut exprs = keys.chain(columns).chain(into.shape.exprs());
            exprs.any(Expr::uses_secret) || fate(&into.ended) || fate(&into.deleted)
        })
    }
}

impl Into {
    /// It is one of its key columns, or of those that it writes.
    pub fn writes(&self, column: &str) -> bool {
        let keys = self.key.iter().map(|key| &key.name);
        keys.chain(self.columns.iter().map(|c| &c.name))
            .any(|name| name == column)
    }

    /// `schema.table`, for people.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_closed_by_others_where_ours_alone_do_not_close_it() {
        let columns = ["ours", "theirs"].map(|name| (name.to_owned(), SqlType::parse("text")));
        let by_others = |text: &str, ours: &[&str], values: &[&str]| {
            let condition = TargetCondition::compile(text, &columns).unwrap();
            let cells: Vec<Cell> = values.iter().map(|v| Cell::Text((*v).into())).collect();
            let closed = Closed {
                sql: String::new(),
                columns: condition.columns().to_vec(),
                condition,
            };
            closed.by_others(&cells, |name| ours.contains(&name))
        };
        let either = "ours = 'x' or theirs = 'x'";
        assert!(by_others(either, &["ours"], &["x", "x"]));
        assert!(by_others(either, &["ours"], &["y", "x"]));
        assert!(!by_others(either, &["ours"], &["x", "y"]));
        let both = "ours = 'x' and theirs = 'x'";
        assert!(by_others(both, &["ours"], &["x", "x"]));
        assert!(!by_others(both, &["ours"], &["x", "y"]));
        assert!(!by_others("ours = 'x'", &["ours"], &["x"]));
        assert!(by_others("theirs = 'x'", &["ours"], &["x"]));
        assert!(!by_others("theirs = 'x'", &["ours"], &["y"]));
    }
}
