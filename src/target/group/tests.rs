//! Random tables that refer to each other: no statement leaves a row that refers to nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::cart::image::{Cell, Cells};
use crate::catalog::{Catalog, ColumnInfo, ForeignKey, ReplicaIdentity, TableInfo, TableKind};
use crate::mapping::difference::RowOp;
use crate::mapping::map::RowKey;
use crate::mapping::plan::{Fate, Into, KeyColumn, Lock, MappedColumn, Role};
use crate::sqltype::{Class, SqlType};

const TABLES: usize = 4;

/// By table and key: what each of its columns refers to, and a value that refers to nothing.
type Rows = BTreeMap<(usize, u8), Vec<Option<u8>>>;

/// For each table, the tables that its columns refer to.
type References = Vec<Vec<usize>>;

fn references(rng: &mut Rng) -> References {
    let mut order: Vec<usize> = (0..TABLES).collect();
    rng.shuffle(&mut order);
    let place = |table: usize| order.iter().position(|t| *t == table);
    (0..TABLES)
        .map(|table| {
            let below = (0..TABLES).filter(|other| place(*other) < place(table));
            below.filter(|_| rng.u8(0..3) > 0).collect()
        })
        .collect()
}

/// Rows of which each refers to rows that are there.
fn rows(rng: &mut Rng, references: &References) -> Rows {
    let there: Vec<Vec<u8>> = (0..TABLES)
        .map(|_| (0..3).filter(|_| rng.bool()).collect())
        .collect();
    let mut rows = Rows::new();
    for (table, keys) in there.iter().enumerate() {
        for key in keys {
            let refers = |other: &usize| rng.choice(there[*other].iter()).copied();
            let cells = references[table].iter().map(refers);
            let mut cells: Vec<Option<u8>> = cells.collect();
            cells.push(Some(rng.u8(0..2)));
            rows.insert((table, *key), cells);
        }
    }
    rows
}

fn name(table: usize) -> String {
    format!("t{table}")
}

fn catalog(references: &References) -> Catalog {
    let table = |(at, refers): (usize, &Vec<usize>)| TableInfo {
        oid: 0,
        schema: "new".into(),
        name: name(at),
        kind: TableKind::Ordinary,
        columns: Vec::<ColumnInfo>::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        primary_key: vec!["id".into()],
        foreign_keys: refers
            .iter()
            .enumerate()
            .map(|(column, other)| ForeignKey {
                name: format!("fk{column}"),
                columns: vec![format!("c{column}")],
                schema: "new".into(),
                table: name(*other),
                referenced: vec!["id".into()],
                on_delete_cascade: false,
                deferrable: false,
                enforced: true,
            })
            .collect(),
        triggers: Vec::new(),
        replica_identity: ReplicaIdentity::Default,
    };
    Catalog {
        tables: references.iter().enumerate().map(table).collect(),
        search_path: vec!["new".into()],
    }
}

fn into(at: usize, refers: &[usize]) -> Arc<Into> {
    let layout = crate::cart::fold::tests::shop::layout();
    let scope = crate::mapping::expr::Scope {
        layout: &layout,
        per: 0,
    };
    let ty = || SqlType::of(Class::Text);
    let column = |column: usize| MappedColumn {
        name: format!("c{column}"),
        ty: ty(),
        expr: None,
        once: false,
        merge: None,
    };
    Arc::new(Into {
        schema: "new".into(),
        table: name(at),
        per: 0,
        shape: Default::default(),
        role: Role::Detail,
        lock: Lock::Row,
        filter: None,
        key: vec![KeyColumn {
            name: "id".into(),
            ty: ty(),
            expr: crate::mapping::expr::Expr::compile("id", &scope).unwrap(),
        }],
        columns: (0..=refers.len()).map(column).collect(),
        ended: Fate::Delete,
        deleted: Fate::Delete,
        closed: None,
        has_triggers: false,
        shareable: false,
        line: None,
    })
}

fn cells(values: &[Option<u8>]) -> Cells {
    let cell = |value: &Option<u8>| match value {
        Some(value) => Cell::Text(value.to_string().into()),
        None => Cell::Null,
    };
    values.iter().map(cell).collect()
}

fn patch(intos: &[Arc<Into>], old: &Rows, new: &Rows) -> Patch {
    let mut patch = Patch::default();
    let mut write = |(table, key): (usize, u8), op: RowOp| {
        let key: RowKey = vec![key.to_string().into_boxed_str()].into();
        patch.writes.push(RowWrite {
            into: intos[table].clone(),
            index: Some(table),
            key,
            op,
            token: None,
        });
    };
    for (id, row) in new {
        match old.get(id) {
            None => write(*id, RowOp::Insert { new: cells(row) }),
            Some(before) if before != row => {
                let changed = (0..row.len()).filter(|&i| before[i] != row[i]);
                let changed = changed.collect();
                let (old, new) = (cells(before), cells(row));
                write(*id, RowOp::Update { old, new, changed });
            }
            Some(_) => {}
        }
    }
    for (id, row) in old.iter().filter(|(id, _)| !new.contains_key(id)) {
        write(*id, RowOp::Delete { old: cells(row) });
    }
    patch
}

/// What one statement makes of the rows.
fn run(rows: &mut Rows, group: &Group<'_>, new: &Rows) {
    for (_, write) in &group.rows {
        let id = (write.index.unwrap(), write.key[0].parse::<u8>().unwrap());
        match new.get(&id) {
            Some(row) => rows.insert(id, row.clone()),
            None => rows.remove(&id),
        };
    }
}

fn dangling(rows: &Rows, references: &References) -> bool {
    rows.iter().any(|((table, _), row)| {
        let mut refers = references[*table].iter().zip(row);
        refers.any(|(other, key)| key.is_some_and(|key| !rows.contains_key(&(*other, key))))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_statement_leaves_a_row_that_refers_to_nothing(seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let references = references(&mut rng);
        let (old, new) = (rows(&mut rng, &references), rows(&mut rng, &references));
        let intos: Vec<Arc<Into>> =
            references.iter().enumerate().map(|(at, refers)| into(at, refers)).collect();
        let patch = patch(&intos, &old, &new);
        let tables = Tables::of(&catalog(&references));
        let mut rows = old;
        for group in group(&[&patch], &tables) {
            run(&mut rows, &group, &new);
            prop_assert!(!dangling(&rows, &references), "{:?}", references);
        }
        prop_assert_eq!(rows, new);
    }
}
