//! A shop of one cart, a target of plain rows that checks every guard, and what cartage remembers
//! between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cart::image::{Cell, Cells};
use crate::cart::layout::{Column, Layout, Table};
use crate::config::{FieldRule, Merge, QuantityRule};
use crate::mapping::difference::{Left, RowOp};
use crate::mapping::expr::{Expr, Scope};
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Fate, Into, KeyColumn, Line, Lock, MappedColumn, Mapping, Role};
use crate::merge::{Inputs, Kept, Link, Merged, Part, Theirs, merge, touched};
use crate::sqltype::SqlType;

pub const CART: usize = 0;
pub const LINE: usize = 1;
pub const GIFT: usize = 2;

/// Columns of the tables above.
pub const EMAIL: usize = 0;
pub const CHANGED: usize = 1;
pub const NOTE: usize = 2;
pub const QUANTITY: usize = 3;
pub const REMOVED: usize = 4;

fn layout() -> Layout {
    let table = |alias: &str, columns: &[(&str, &str)], cart, parent| Table {
        alias: alias.into(),
        schema: "old".into(),
        name: alias.into(),
        columns: columns
            .iter()
            .map(|(name, ty)| Column {
                name: (*name).into(),
                ty: SqlType::parse(ty),
                not_null: false,
                bytewise: true,
            })
            .collect(),
        key: vec![0],
        cart,
        parent,
    };
    let stamp = "timestamp with time zone";
    Layout {
        tables: vec![
            table(
                "head",
                &[("id", "text"), ("email", "text"), ("changed", stamp)],
                Some(vec![0]),
                None,
            ),
            table(
                "line",
                &[
                    ("id", "text"),
                    ("cart", "text"),
                    ("sku", "text"),
                    ("qty", "numeric"),
                    ("note", "text"),
                ],
                Some(vec![1]),
                None,
            ),
            table(
                "gift",
                &[("id", "text"), ("line", "text"), ("words", "text")],
                None,
                Some((1, vec![1])),
            ),
        ],
    }
}

fn into(layout: &Layout, per: usize, columns: &[(&str, &str, &str)]) -> Into {
    let compile = |text: &str| Expr::compile(text, &Scope { layout, per }).unwrap();
    let mapped = |(name, ty, text): &(&str, &str, &str)| MappedColumn {
        name: (*name).into(),
        ty: SqlType::parse(ty),
        expr: (!text.is_empty()).then(|| compile(text)),
        once: false,
        merge: None,
    };
    Into {
        schema: "new".into(),
        table: layout.tables[per].alias.clone(),
        per,
        shape: Default::default(),
        role: [Role::Header, Role::Line, Role::Detail][per],
        lock: Lock::Row,
        filter: None,
        key: vec![KeyColumn {
            name: "id".into(),
            ty: SqlType::parse("text"),
            expr: compile("id"),
        }],
        columns: columns.iter().map(mapped).collect(),
        ended: Fate::Delete,
        deleted: Fate::Delete,
        closed: None,
        has_triggers: false,
        shareable: false,
        line: None,
    }
}

/// At most nine of a product.
pub fn mapping(quantity: QuantityRule, fields: FieldRule) -> Mapping {
    let layout = layout();
    let stamp = "timestamp with time zone";
    let mut head = into(
        &layout,
        0,
        &[("email", "text", "email"), ("changed", stamp, "changed")],
    );
    head.lock = Lock::Counter("version".into());
    let mut line = into(
        &layout,
        1,
        &[
            ("cart_id", "text", "cart"),
            ("product", "text", "sku"),
            ("note", "text", "note"),
            ("quantity", "numeric", "qty"),
            ("removed", "text", ""),
        ],
    );
    line.line = Some(Line {
        product: "product".into(),
        quantity: "quantity".into(),
        max_quantity: 9,
        cart: vec![("cart_id".into(), "id".into())],
    });
    let gift = into(
        &layout,
        2,
        &[("line_id", "text", "line"), ("words", "text", "words")],
    );
    Mapping {
        lookups: Vec::new(),
        live: None,
        intos: [head, line, gift].into_iter().map(Arc::new).collect(),
        changed_at: Some(2),
        merge: Merge { quantity, fields },
        trusted_births: true,
        time_zone: chrono_tz::Tz::UTC,
        layout: Arc::new(layout),
    }
}

/// Lines are marked where they are removed.
pub fn soft(mut mapping: Mapping) -> Mapping {
    let line = Arc::get_mut(&mut mapping.intos[LINE]).unwrap();
    let scope = Scope {
        layout: &mapping.layout,
        per: 1,
    };
    let gone = Expr::compile("'gone'", &scope).unwrap();
    line.deleted = Fate::Set(vec![(REMOVED, gone)]);
    mapping
}

pub fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

pub fn key(text: &str) -> RowKey {
    Arc::new([Box::from(text)])
}

pub fn row(into: usize, id: &str, cells: Vec<Cell>) -> TargetRow {
    TargetRow {
        into,
        key: key(id),
        cells: cells.into(),
        origin: Some((into, 0)),
    }
}

/// A moment of the year 1970, in seconds.
pub fn at(seconds: i64) -> String {
    format!("1970-01-01 00:{:02}:{:02}+00", seconds / 60, seconds % 60)
}

pub fn head(email: &str, seconds: i64) -> TargetRow {
    row(CART, "c", vec![text(email), text(&at(seconds))])
}

pub fn line(id: &str, product: &str, quantity: impl ToString) -> TargetRow {
    let cells = [
        text("c"),
        text(product),
        Cell::Null,
        text(&quantity.to_string()),
        Cell::Null,
    ];
    row(LINE, id, cells.to_vec())
}

/// The same with a value of its own in a column.
pub fn with(mut row: TargetRow, column: usize, value: Cell) -> TargetRow {
    Arc::make_mut(&mut row.cells)[column] = value;
    row
}

pub fn gift(id: &str, of: &str, words: &str) -> TargetRow {
    row(GIFT, id, vec![text(of), text(words)])
}

/// A target that both write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    pub rows: BTreeMap<(usize, RowKey), Cells>,
    pub version: i64,
}

impl Target {
    pub fn of(rows: &[TargetRow]) -> Self {
        let rows = rows
            .iter()
            .map(|r| ((r.into, r.key.clone()), r.cells.clone()));
        Self {
            rows: rows.collect(),
            version: 1,
        }
    }

    /// The new backend puts a row there.
    pub fn put(&mut self, row: &TargetRow) {
        self.rows
            .insert((row.into, row.key.clone()), row.cells.clone());
        self.version += 1;
    }

    pub fn remove(&mut self, into: usize, id: &str) {
        self.rows.remove(&(into, key(id))).unwrap();
        self.version += 1;
    }

    pub fn cell(&self, into: usize, id: &str, column: usize) -> Option<&str> {
        self.rows.get(&(into, key(id)))?[column].text()
    }

    /// `id product quantity, …` of lines that live.
    pub fn lines(&self) -> String {
        let lines = self
            .rows
            .iter()
            .filter(|((into, _), cells)| *into == LINE && cells[REMOVED] == Cell::Null);
        let lines = lines.map(|((_, key), cells)| {
            let text = |i: usize| cells[i].text().unwrap_or("null");
            format!("{} {} {}", key[0], text(1), text(QUANTITY))
        });
        lines.collect::<Vec<_>>().join(", ")
    }

    /// How much of a product the cart has.
    pub fn quantity(&self, product: &str) -> i64 {
        let lines = self.rows.iter().filter(|((into, _), cells)| {
            *into == LINE && cells[1].text() == Some(product) && cells[REMOVED] == Cell::Null
        });
        lines
            .map(|(_, cells)| cells[QUANTITY].text().unwrap().parse::<i64>().unwrap())
            .sum()
    }

    /// Applies the writes of a merge, each of which must meet what it expects. True where a row was
    /// written.
    pub fn apply(&mut self, merged: &Merged) -> bool {
        let mut wrote = false;
        let mut guarded = false;
        for write in &merged.writes {
            let id = (write.index.unwrap(), write.key.clone());
            let there = self.rows.get(&id).cloned();
            if id.0 == CART {
                guarded = true;
                assert_eq!(write.token.as_deref(), Some(&*self.version.to_string()));
            }
            match &write.op {
                RowOp::Insert { new } => {
                    assert_eq!(there, None, "{id:?} is there");
                    if id.0 == LINE {
                        // The identity guard.
                        let rival = self.rows.iter().find(|((into, key), cells)| {
                            *into == LINE
                                && cells[..2] == new[..2]
                                && !merged.own.contains(&(LINE, key.clone()))
                        });
                        assert_eq!(rival, None);
                    }
                    self.rows.insert(id, new.clone());
                    wrote = true;
                }
                RowOp::Update { old, new, changed } => {
                    assert_eq!(there.as_ref(), Some(old));
                    let mut cells = old.clone();
                    let set = Arc::make_mut(&mut cells);
                    changed.iter().for_each(|&i| set[i] = new[i].clone());
                    self.rows.insert(id.clone(), cells);
                    wrote = true;
                }
                RowOp::Delete { old } => {
                    assert_eq!(there.as_ref(), Some(old));
                    self.rows.remove(&id);
                    wrote = true;
                }
                RowOp::Check { old } => assert_eq!(there.as_ref(), Some(old)),
            }
        }
        assert!(guarded, "no header was guarded");
        self.version += i64::from(wrote);
        wrote
    }
}

/// What cartage remembers of the cart.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub rows: Vec<TargetRow>,
    pub kept: Vec<Kept>,
}

impl Memory {
    pub fn of(rows: &[TargetRow]) -> Self {
        Self {
            rows: rows.to_vec(),
            kept: Vec::new(),
        }
    }

    /// What a merge of `ours` into the target gives; nothing is written.
    pub fn merge(&self, mapping: &Mapping, ours: &[TargetRow], target: &Target) -> Merged {
        self.see(mapping, ours, target, |inputs| merge(inputs).unwrap())
    }

    /// The same of something else that is made of what is found.
    pub fn see<T>(
        &self,
        mapping: &Mapping,
        ours: &[TargetRow],
        target: &Target,
        make: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        let base: Vec<Left> = self
            .rows
            .iter()
            .map(|row| Left {
                row: row.clone(),
                token: (row.into == CART).then(|| "left".into()),
            })
            .collect();
        let seconds = |row: &TargetRow| {
            let text = row.cells[CHANGED].text()?;
            crate::merge::clock::moment(text, chrono_tz::UTC)
        };
        let header = ours.iter().find(|row| row.into == CART);
        let parts = [Part {
            base: &base,
            ours,
            kept: &self.kept,
            time: header.and_then(seconds),
        }];
        let theirs = |id: &(usize, RowKey), line| {
            let cells = target.rows.get(id)?.clone();
            Some(Theirs {
                into: id.0,
                key: id.1.clone(),
                found: cells.clone(),
                cells,
                token: (id.0 == CART).then(|| target.version.to_string().into()),
                closed: false,
                line,
            })
        };
        let known = self
            .rows
            .iter()
            .chain(ours)
            .map(|r| (r.into, r.key.clone()));
        let known: std::collections::BTreeSet<_> = known.collect();
        let mut found: Vec<Theirs> = known.iter().filter_map(|id| theirs(id, None)).collect();
        for (line, sample) in touched(mapping, &parts) {
            let same = |(id, cells): &(&(usize, RowKey), &Cells)| {
                id.0 == LINE && cells[..2] == sample.cells[..2] && !known.contains(*id)
            };
            let lines = target.rows.iter().filter(same);
            found.extend(lines.filter_map(|(id, _)| theirs(id, Some(line.clone()))));
        }
        let links = [Link {
            child: GIFT,
            parent: LINE,
            columns: vec![0],
        }];
        make(&Inputs {
            mapping,
            links: &links,
            parts: &parts,
            theirs: &found,
            fated: &|_, _, row| {
                let mut cells = row.cells.clone();
                Arc::make_mut(&mut cells)[REMOVED] = text("gone");
                Some(cells)
            },
        })
    }

    /// Merges, writes and remembers. What is done again changes nothing.
    pub fn deliver(
        &mut self,
        mapping: &Mapping,
        ours: &[TargetRow],
        target: &mut Target,
    ) -> Merged {
        let merged = self.merge(mapping, ours, target);
        let again = self.merge(mapping, ours, target);
        assert_eq!(
            format!("{merged:?}"),
            format!("{again:?}"),
            "it depends on more"
        );
        target.apply(&merged);
        self.rows = ours.to_vec();
        self.kept = merged.kept[0].clone();
        let replay = self.merge(mapping, ours, target);
        assert!(
            !target.clone().apply(&replay),
            "a replay writes: {replay:?}"
        );
        assert!(!replay.conflict, "a replay is a conflict: {:?}", self.kept);
        merged
    }
}
