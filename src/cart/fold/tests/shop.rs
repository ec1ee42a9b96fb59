//! A shop of three plain tables, whose random transactions are told as changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;

use crate::cart::image::{Cell, Cells, Image, Life, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::{Column, Layout, Table};
use crate::cart::owner::Action;
use crate::sqltype::SqlType;

pub const HEAD: usize = 0;
pub const LINE: usize = 1;
pub const DETAIL: usize = 2;

/// Rows by key, table by table.
#[derive(Clone, Debug, Default)]
pub struct Shop {
    pub tables: [BTreeMap<String, Vec<String>>; 3],
}

pub fn layout() -> Layout {
    let table = |alias: &str, columns: &[&str], parent| Table {
        alias: alias.into(),
        schema: "public".into(),
        name: alias.into(),
        columns: columns
            .iter()
            .map(|name| Column {
                name: (*name).into(),
                ty: SqlType::parse("text"),
                not_null: true,
                bytewise: false,
            })
            .collect(),
        key: vec![0],
        cart: None,
        parent,
    };
    let mut layout = Layout {
        tables: vec![
            table("head", &["id", "state"], None),
            table(
                "line",
                &["id", "cart", "qty", "note"],
                Some((HEAD, vec![1])),
            ),
            table("detail", &["id", "line", "value"], Some((LINE, vec![1]))),
        ],
    };
    layout.tables[HEAD].cart = Some(vec![0]);
    layout.tables[LINE].cart = Some(vec![1]);
    layout
}

pub fn key(id: &str) -> CartKey {
    CartKey::of([id])
}

pub fn cells(values: &[String]) -> Cells {
    values
        .iter()
        .map(|v| Cell::Text(v.as_str().into()))
        .collect()
}

impl Shop {
    /// All keys that a cart can have.
    pub const CARTS: [&'static str; 4] = ["a", "b", "c", "d"];

    pub fn live(&self, cart: &str) -> bool {
        self.tables[HEAD]
            .get(cart)
            .is_some_and(|row| row[1] == "cart")
    }

    /// The image of a live cart, read whole.
    pub fn read(&self, cart: &str, stamp: i64) -> Option<Image> {
        self.live(cart).then(|| {
            let mut image = Image::empty(&layout());
            image.life = Life::Live;
            for (at, rows) in self.tables.iter().enumerate() {
                let own = rows.values().filter(|row| self.owner(at, row) == cart);
                image.tables[at] = own
                    .map(|row| Row {
                        cells: cells(row),
                        stamp,
                    })
                    .collect();
            }
            image
        })
    }

    fn owner<'a>(&'a self, table: usize, row: &'a [String]) -> &'a str {
        match table {
            HEAD => &row[0],
            LINE => &row[1],
            _ => &self.tables[LINE][&row[1]][1],
        }
    }

    /// The changes of one transaction, which are also made.
    pub fn transaction(&mut self, rng: &mut Rng) -> Vec<Action> {
        let mut actions = Vec::new();
        for _ in 0..rng.usize(1..4) {
            self.change(rng, &mut actions);
        }
        actions
    }

    fn change(&mut self, rng: &mut Rng, actions: &mut Vec<Action>) {
        let table = [HEAD, LINE, LINE, LINE, DETAIL, DETAIL, DETAIL][rng.usize(..7)];
        let id = match table {
            HEAD => Self::CARTS[rng.usize(..Self::CARTS.len())].to_owned(),
            _ => rng.u32(1..9).to_string(),
        };
        let held = self.tables[table].get(&id).cloned();
        if held.is_some() && rng.u32(..4) == 0 {
            return self.delete(table, &id, actions);
        }
        let Some(mut row) = self.random(rng, table, &id) else {
            return;
        };
        if let Some(held) = &held {
            // Most updates leave the parent alone.
            if table != HEAD && rng.u32(..3) > 0 {
                row[1].clone_from(&held[1]);
            }
            if table == LINE && rng.bool() {
                row[3].clone_from(&held[3]);
            }
        }
        self.put(rng, table, held, row, actions);
    }

    fn random(&self, rng: &mut Rng, table: usize, id: &str) -> Option<Vec<String>> {
        let value = rng.u32(..4).to_string();
        Some(match table {
            HEAD => vec![id.into(), ["cart", "cart", "order"][rng.usize(..3)].into()],
            LINE => vec![
                id.into(),
                self.some(rng, HEAD)?,
                value,
                rng.u32(..3).to_string(),
            ],
            _ => vec![id.into(), self.some(rng, LINE)?, value],
        })
    }

    fn some(&self, rng: &mut Rng, table: usize) -> Option<String> {
        rng.choice(self.tables[table].keys()).cloned()
    }

    fn put(
        &mut self,
        rng: &mut Rng,
        table: usize,
        held: Option<Vec<String>>,
        row: Vec<String>,
        actions: &mut Vec<Action>,
    ) {
        let to = self.owner(table, &row).to_owned();
        let from = held.as_ref().map(|h| self.owner(table, h).to_owned());
        let mut new = cells(&row);
        if let Some(held) = &held
            && table == LINE
            && held[3] == row[3]
            && rng.bool()
        {
            Arc::make_mut(&mut new)[3] = Cell::Missing;
        }
        let old = held.as_deref().map(cells);
        actions.push(match (from, old) {
            (Some(from), Some(old)) if from != to => Action::Move {
                from: key(&from),
                to: key(&to),
                table,
                old,
                new,
            },
            (_, old) => Action::Put {
                cart: key(&to),
                table,
                insert: old.is_none(),
                old: old.filter(|_| rng.bool()),
                new,
            },
        });
        self.tables[table].insert(row[0].clone(), row);
    }

    /// With all that hangs below, as a cascade does it: the parent is logged first.
    fn delete(&mut self, table: usize, id: &str, actions: &mut Vec<Action>) {
        let cart = key(self.owner(table, &self.tables[table][id]));
        let mut below = vec![(table, id.to_owned())];
        let mut next = 0;
        while let Some((parent, id)) = below.get(next).cloned() {
            let child = parent + 1;
            let rows = self.tables.get(child).into_iter().flatten();
            below.extend(
                rows.filter(|(_, r)| r[1] == id)
                    .map(|(k, _)| (child, k.clone())),
            );
            next += 1;
        }
        for (table, id) in below {
            if let Some(row) = self.tables[table].remove(&id) {
                actions.push(Action::Remove {
                    cart: cart.clone(),
                    table,
                    old: cells(&row),
                });
            }
        }
    }
}
