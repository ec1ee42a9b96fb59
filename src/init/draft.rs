//! A proposed mapping, piece by piece: each can be taken out by itself, with the reason.

use serde_json::{Value, json};

use super::platform::{Lookup, Map};

/// How well a proposal is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Both platforms are known, and this is how it is done.
    Sure,
    /// It follows from names, types and keys.
    Likely,
    Guess,
}

impl Confidence {
    pub fn word(self) -> &'static str {
        match self {
            Self::Sure => "sure",
            Self::Likely => "likely",
            Self::Guess => "guess",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Value,
    Key,
    Once,
    Allocated,
}

impl Form {
    pub fn word(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Key => "key",
            Self::Once => "once",
            Self::Allocated => "allocated",
        }
    }
}

/// A piece that stands in the file, or does not because of something.
#[derive(Clone, Debug)]
pub struct Piece<T> {
    pub what: T,
    /// Why it is commented out.
    pub out: Option<String>,
}

impl<T> Piece<T> {
    pub fn new(what: T) -> Self {
        Self { what, out: None }
    }
}

/// What is known of both shops.
#[derive(Clone, Debug, Default)]
pub struct Shops {
    pub old: Option<String>,
    pub new: Option<String>,
    pub time_zone: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub shops: Shops,
    pub cart: Option<CartPart>,
    pub rows: Vec<Piece<RowsPart>>,
    pub lookups: Vec<Piece<LookupPart>>,
    pub maps: Vec<Piece<(String, Map)>>,
    pub intos: Vec<Piece<IntoPart>>,
    /// Problems that no piece could be blamed for.
    pub left_over: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct CartPart {
    pub table: String,
    pub key: Vec<String>,
    pub live: Option<Piece<(String, String)>>,
    pub changed_at: Option<Piece<String>>,
    pub why: (Confidence, String),
}

#[derive(Clone, Debug)]
pub struct RowsPart {
    pub alias: String,
    pub cart: Vec<String>,
    pub parent: Option<(String, Vec<String>)>,
    pub key: Vec<String>,
    pub why: String,
}

#[derive(Clone, Debug)]
pub struct LookupPart {
    pub name: String,
    pub on: &'static str,
    pub lookup: Lookup,
}

#[derive(Clone, Debug)]
pub struct IntoPart {
    pub table: String,
    pub per: String,
    pub role: String,
    /// Key, TOML text and why of `lock`, `where`, `closed`, `ended`, `deleted`, `line`, `group`.
    pub keys: Vec<Piece<(&'static str, String, String)>>,
    pub columns: Vec<Piece<ColumnPart>>,
    /// Columns that must hold something for which nothing was found, with their types.
    pub answers: Vec<(String, String)>,
    /// Columns that are left to the new shop.
    pub left: Vec<String>,
    pub why: String,
}

#[derive(Clone, Debug)]
pub struct ColumnPart {
    pub name: String,
    pub form: Form,
    pub expression: String,
    pub confidence: Confidence,
    pub why: String,
}

impl Draft {
    /// Columns that still need an answer: those that nothing was found for, and those that must hold
    /// something and whose expression had to be taken out.
    pub fn answers(&self) -> usize {
        self.intos.iter().map(|into| into.what.answers.len()).sum()
    }

    /// Pieces that are commented out.
    pub fn taken_out(&self) -> usize {
        let columns = |into: &IntoPart| into.columns.iter().filter(|c| c.out.is_some()).count();
        self.rows.iter().filter(|p| p.out.is_some()).count()
            + self.lookups.iter().filter(|p| p.out.is_some()).count()
            + self.maps.iter().filter(|p| p.out.is_some()).count()
            + self.intos.iter().filter(|p| p.out.is_some()).count()
            + self.intos.iter().map(|p| columns(&p.what)).sum::<usize>()
    }

    pub fn columns(&self) -> usize {
        self.intos.iter().map(|into| into.what.columns.len()).sum()
    }

    pub fn json(&self, toml: &str) -> Value {
        let intos: Vec<Value> = self.intos.iter().map(into_json).collect();
        let lookups = self.lookups.iter().map(|piece| {
            let LookupPart { name, on, lookup } = &piece.what;
            json!({
                "name": name, "on": on, "table": lookup.table, "get": lookup.get,
                "active": piece.out.is_none(), "reason": piece.out,
            })
        });
        let maps = self.maps.iter().map(|piece| {
            json!({ "name": piece.what.0, "active": piece.out.is_none(), "reason": piece.out })
        });
        let rows = self.rows.iter().map(|piece| {
            json!({
                "table": piece.what.alias,
                "active": piece.out.is_none(), "reason": piece.out,
            })
        });
        json!({
            "source": { "platform": self.shops.old },
            "target": { "platform": self.shops.new },
            "cart": self.cart.as_ref().map(|cart| &cart.table),
            "rows": rows.collect::<Vec<_>>(),
            "lookups": lookups.collect::<Vec<_>>(),
            "maps": maps.collect::<Vec<_>>(),
            "into": intos,
            "columns": self.columns(),
            "needs_answer": self.answers(),
            "taken_out": self.taken_out(),
            "problems": self.left_over,
            "toml": toml,
        })
    }
}

fn into_json(piece: &Piece<IntoPart>) -> Value {
    let into = &piece.what;
    let columns = into.columns.iter().map(|piece| {
        let column = &piece.what;
        json!({
            "column": column.name,
            "form": column.form.word(),
            "expression": column.expression,
            "confidence": column.confidence.word(),
            "why": column.why,
            "active": piece.out.is_none(),
            "reason": piece.out,
        })
    });
    let answers = into.answers.iter();
    json!({
        "table": into.table,
        "per": into.per,
        "role": into.role,
        "active": piece.out.is_none(),
        "reason": piece.out,
        "columns": columns.collect::<Vec<_>>(),
        "needs_answer": answers.map(|(name, ty)| json!({ "column": name, "type": ty })).collect::<Vec<_>>(),
        "left": into.left,
    })
}
