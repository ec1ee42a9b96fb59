//! The whole core over random histories: fold, settle and difference take a target from what it
//! holds to what the source means, through guarded writes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::cart::fold::tests::shop::{self, Shop, key};
use crate::cart::fold::tests::{nothing, routed, rules};
use crate::cart::fold::{Folding, Foldings, apply};
use crate::cart::image::{Image, Life};
use crate::cart::layout::Layout;
use crate::config::{FieldRule, Merge, QuantityRule};
use crate::mapping::expr::IdKey;
use crate::mapping::expr::{Expr, Scope, Shaped};
use crate::mapping::former::Before;
use crate::mapping::map::{Claim, Mapper};
use crate::mapping::plan::{Fate, KeyColumn, MappedColumn, Shape};
use crate::source::change::{Lsn, Position};
use crate::sqltype::{Class, SqlType};

/// What becomes of a row whose source is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gone {
    Delete,
    Keep,
    Set,
}

fn into(
    layout: &Layout,
    per: usize,
    gone: Gone,
    filter: Option<&str>,
    columns: &[(&str, &str)],
) -> Arc<Into> {
    shaped(layout, per, gone, filter, (None, &[], "'x' || id"), columns)
}

/// One row for each element of a payload, or for each group.
fn shaped(
    layout: &Layout,
    per: usize,
    gone: Gone,
    filter: Option<&str>,
    (payload, group, key): (Option<&str>, &[&str], &str),
    columns: &[(&str, &str)],
) -> Arc<Into> {
    let scope = Scope { layout, per };
    let shape = Shape {
        payload: payload.map(|text| Expr::compile(text, &scope).unwrap()),
        group: Vec::new(),
    };
    let rows = Shaped {
        lookups: &[],
        item: shape.payload.as_ref().and_then(Expr::item_class),
        group: None,
    };
    let rows = |text: &str| Expr::compile_shaped(text, &scope, rows).unwrap();
    let shape = Shape {
        group: group.iter().map(|text| rows(text)).collect(),
        ..shape
    };
    let names = Shaped {
        lookups: &[],
        item: shape.payload.as_ref().and_then(Expr::item_class),
        group: (!group.is_empty()).then_some(&shape.group),
    };
    let compile = |text: &str| Expr::compile_shaped(text, &scope, names).unwrap();
    let mapped = |(name, text): &(&str, &str)| MappedColumn {
        name: (*name).into(),
        ty: SqlType::of(Class::Text),
        expr: Some(compile(text)),
        once: false,
        merge: None,
    };
    let fate = || match gone {
        Gone::Delete => Fate::Delete,
        Gone::Keep => Fate::Keep,
        Gone::Set => Fate::Set(vec![(0, compile("'gone'"))]),
    };
    Arc::new(Into {
        schema: "new".into(),
        table: layout.tables[per].alias.clone() + key,
        per,
        role: [Role::Header, Role::Line, Role::Detail][per],
        lock: Lock::Counter("version".into()),
        filter: filter.map(rows),
        key: vec![KeyColumn {
            name: "id".into(),
            ty: SqlType::of(Class::Text),
            expr: compile(key),
        }],
        columns: columns.iter().map(mapped).collect(),
        ended: fate(),
        deleted: fate(),
        closed: None,
        has_triggers: false,
        shareable: false,
        line: None,
        shape,
    })
}

fn mapper(gone: Gone, shapes: bool) -> Mapper {
    let layout = shop::layout();
    let count = "cast(count(detail.*) as text)";
    let mut intos = vec![
        into(
            &layout,
            0,
            gone,
            None,
            &[("state", "state"), ("lines", "cast(count(line.*) as text)")],
        ),
        into(
            &layout,
            1,
            gone,
            Some("qty <> '0'"),
            &[
                ("note", "note"),
                ("cart_id", "cart"),
                ("qty", "qty"),
                ("details", count),
            ],
        ),
        into(
            &layout,
            2,
            gone,
            None,
            &[
                ("value", "value"),
                ("line_id", "line"),
                ("cart_id", "parent.cart"),
            ],
        ),
    ];
    if shapes {
        intos.extend([
            shaped(
                &layout,
                1,
                gone,
                Some("item_key <> 'k0'"),
                (
                    Some("json_build_object('k' || qty, note, 'n' || note, cart, 'fixed', id)"),
                    &[],
                    "'e' || id || item_key",
                ),
                &[
                    ("value", "item #>> '{}'"),
                    ("details", count),
                    ("state", "header.state"),
                ],
            ),
            shaped(
                &layout,
                1,
                gone,
                Some("note <> '2'"),
                (None, &["cart", "qty"], "'g' || cart || '/' || qty"),
                &[
                    ("ids", "string_agg(id, ',' order by note, id)"),
                    ("rows", "cast(count(*) as text)"),
                    (
                        "first",
                        "first(note order by id desc) || qty || header.state",
                    ),
                ],
            ),
            shaped(
                &layout,
                2,
                gone,
                None,
                (
                    Some("json_build_array(value, line)"),
                    &["item #>> '{}'", "parent.cart"],
                    "'h' || parent.cart || (item #>> '{}')",
                ),
                &[(
                    "details",
                    "string_agg(id || item_key, ' ' order by id, item_key)",
                )],
            ),
        ]);
    }
    Mapper {
        mapping: Mapping {
            lookups: Vec::new(),
            live: Some(
                Expr::compile(
                    "state = 'cart'",
                    &Scope {
                        layout: &layout,
                        per: 0,
                    },
                )
                .unwrap(),
            ),
            layout: Arc::new(layout),
            intos,
            changed_at: None,
            merge: Merge {
                quantity: QuantityRule::Both,
                fields: FieldRule::Latest,
            },
            trusted_births: true,
            time_zone: chrono_tz::Tz::UTC,
        },
        id: 1,
        secret: IdKey::of(&[]),
    }
}

type Target = BTreeMap<(usize, RowKey), Cells>;

/// One pipeline: what it remembers of each cart, and the target.
struct Pipeline {
    mapper: Mapper,
    ledger: BTreeMap<&'static str, Option<Image>>,
    target: Target,
}

impl Pipeline {
    fn new(gone: Gone, shapes: bool) -> Self {
        Self {
            mapper: mapper(gone, shapes),
            ledger: Shop::CARTS.iter().map(|id| (*id, None)).collect(),
            target: Target::new(),
        }
    }

    fn rows(&self, image: Option<&Image>) -> Vec<TargetRow> {
        let Some(image) = image else {
            return Vec::new();
        };
        let rows = self.mapper.map(image).unwrap();
        rows.iter().for_each(|row| self.alone(image, row));
        rows
    }

    /// The values of a row are those that each expression has by itself, whatever was taken over from
    /// another row.
    fn alone(&self, image: &Image, row: &TargetRow) {
        let into = &self.mapper.mapping.intos[row.into];
        let Some((table, at)) = row.origin.filter(|_| into.shape.is_plain()) else {
            return;
        };
        let source = &image.tables[table][at];
        let env = self.mapper.env(image, source, source.stamp);
        for (column, cell) in into.columns.iter().zip(&*row.cells) {
            let value = column.expr.as_ref().unwrap().evaluate(&env).unwrap();
            assert_eq!(cell.text(), value.text(), "{}.{}", into.table, column.name);
        }
    }

    /// Folds transactions, reads carts that wish it, and writes the difference.
    fn batch(&mut self, shop: &mut Shop, rng: &mut Rng, lsn: u64) -> Result<(), TestCaseError> {
        let layout = self.mapper.layout().clone();
        let mut carts: Foldings = nothing();
        for (id, image) in &self.ledger {
            carts.insert(key(id), Folding::new(image.clone(), Position::default()));
        }
        for n in 0..rng.u64(1..4) {
            for change in routed(lsn * 10 + n, shop.transaction(rng)) {
                apply(&rules(&layout, true), &mut carts, change);
            }
        }
        for id in Shop::CARTS {
            let cart = carts.get_mut(&key(id)).unwrap();
            if cart.wish.take().is_some() {
                cart.image = shop.read(id, lsn as i64).or_else(|| {
                    let stamp = lsn as i64;
                    let life = match shop.tables[shop::HEAD].contains_key(id) {
                        true => Life::Ended { stamp },
                        false => Life::Deleted { stamp },
                    };
                    Some(Image {
                        life,
                        ..Image::empty(&layout)
                    })
                });
            }
        }
        self.write(carts)
    }

    fn write(&mut self, mut carts: Foldings) -> Result<(), TestCaseError> {
        let living: BTreeMap<&str, BTreeSet<(usize, RowKey)>> = Shop::CARTS
            .iter()
            .map(|id| {
                let was = self.ledger[id].as_ref().map(|i| i.life);
                let image = carts[&key(id)].image.as_ref();
                let rows = image.map(|i| self.mapper.gives(was, i, None).unwrap());
                let ids = rows.into_iter().flatten().map(|r| (r.into, r.key));
                (*id, ids.collect())
            })
            .collect();
        let lives: BTreeMap<&str, Option<Life>> = Shop::CARTS
            .iter()
            .map(|id| {
                let image = carts[&key(id)].image.as_ref();
                (*id, image.map(|i| i.life))
            })
            .collect();
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for id in Shop::CARTS {
            let image = self.ledger[id].clone();
            let before = self.rows(image.as_ref());
            let elsewhere = |row: &TargetRow| {
                let row = (row.into, row.key.clone());
                let claims = living.iter().filter(|(_, ids)| ids.contains(&row));
                let best = claims.map(|(other, _)| (lives[*other].map(Claim::of), *other));
                best.max().is_some_and(|(_, owner)| owner != id)
            };
            let folding = carts.get_mut(&key(id)).unwrap();
            let settled = self
                .mapper
                .settle(
                    image.as_ref().map(|image| Before {
                        image,
                        rows: &before,
                        current: true,
                    }),
                    folding,
                    &elsewhere,
                )
                .unwrap();
            prop_assert_eq!(&settled, &self.rows(folding.image.as_ref()), "cart {}", id);
            old.push(
                before
                    .into_iter()
                    .map(|row| Left { row, token: None })
                    .collect::<Vec<_>>(),
            );
            new.push(settled);
            self.ledger.insert(id, folding.image.take());
        }
        let unit: Vec<Sides> = old
            .iter()
            .zip(&new)
            .map(|(old, new)| Sides {
                old,
                new,
                dropped: &[],
            })
            .collect();
        let patch = difference(&self.mapper.mapping, &unit).unwrap();
        guarded(&unit, &patch)?;
        unit.iter().try_for_each(|sides| self.same_alone(sides))?;
        for write in patch.writes {
            self.one(write)?;
        }
        let wanted: Target = new
            .into_iter()
            .flatten()
            .map(|r| ((r.into, r.key), r.cells))
            .collect();
        prop_assert_eq!(&self.target, &wanted);
        Ok(())
    }

    /// A cart whose rows have stayed is compared row by row, to the same end as any other.
    fn same_alone(&self, sides: &Sides<'_>) -> Result<(), TestCaseError> {
        let (mapping, unit) = (&self.mapper.mapping, std::slice::from_ref(sides));
        let patch = difference(mapping, unit).unwrap();
        let (mut other, mut touched) = (Patch::default(), [false]);
        compare(mapping, unit, &mut touched, &mut other).unwrap();
        guard_headers(mapping, unit, &touched, &mut other);
        other.own = own_lines(mapping, unit, &other);
        prop_assert_eq!(format!("{patch:?}"), format!("{other:?}"));
        Ok(())
    }

    fn one(&mut self, write: RowWrite) -> Result<(), TestCaseError> {
        let id = (write.index.unwrap(), write.key);
        match write.op {
            RowOp::Insert { new } => prop_assert_eq!(self.target.insert(id, new), None),
            RowOp::Update { old, new, changed } => {
                let mut held = self.target[&id].clone();
                prop_assert_eq!(&held, &old);
                let held_cells = Arc::make_mut(&mut held);
                changed.iter().for_each(|&i| held_cells[i] = new[i].clone());
                prop_assert_eq!(&held, &new);
                self.target.insert(id, held);
            }
            RowOp::Delete { old } => prop_assert_eq!(self.target.remove(&id), Some(old)),
            RowOp::Check { old } => prop_assert_eq!(self.target.get(&id), Some(&old)),
        }
        Ok(())
    }

    /// The target rows that the source's tables mean, ghosts aside.
    fn meant(&self, shop: &Shop) -> Target {
        let images = Shop::CARTS.iter().filter_map(|id| shop.read(id, 0));
        let rows = images.flat_map(|image| self.rows(Some(&image)));
        rows.map(|r| ((r.into, r.key), r.cells)).collect()
    }
}

/// A cart of which a row is written has its header written or checked, if it had one.
fn guarded(unit: &[Sides<'_>], patch: &Patch) -> Result<(), TestCaseError> {
    let written: BTreeSet<(usize, &RowKey)> = patch
        .writes
        .iter()
        .map(|w| (w.index.unwrap(), &w.key))
        .collect();
    prop_assert_eq!(written.len(), patch.writes.len(), "a row is written twice");
    for sides in unit {
        let old: BTreeMap<_, _> = sides
            .old
            .iter()
            .map(|l| (l.row.id(), &l.row.cells))
            .collect();
        let new: BTreeMap<_, _> = sides.new.iter().map(|r| (r.id(), &r.cells)).collect();
        let header = sides.old.iter().find(|left| left.row.into == 0);
        let guarded = header.is_none_or(|header| written.contains(&header.row.id()));
        prop_assert!(old == new || guarded);
    }
    Ok(())
}

/// What a line takes over from the one before it is its own too: moments differ from line to line, and
/// so do the rows below.
#[test]
fn lines_side_by_side_have_values_of_their_own() {
    let mut rng = Rng::with_seed(7);
    let (mut shop, mut pipeline) = (Shop::default(), Pipeline::new(Gone::Delete, false));
    let columns = [
        ("moment", "cast(commit_time() as text)"),
        ("note", "note"),
        ("cart_id", "cart"),
        ("details", "cast(count(detail.*) as text)"),
        ("state", "header.state"),
    ];
    pipeline.mapper.mapping.intos[1] = into(&shop::layout(), 1, Gone::Delete, None, &columns);
    let mut compared = 0;
    for _ in 0..200 {
        shop.transaction(&mut rng);
        for mut image in Shop::CARTS.iter().filter_map(|id| shop.read(id, 0)) {
            for (at, row) in image.tables[1].iter_mut().enumerate() {
                row.stamp = at as i64 / 2;
            }
            compared += pipeline.rows(Some(&image)).len();
        }
    }
    assert!(compared > 1_000, "{compared}");
}

fn history(seed: u64, gone: Gone, shapes: bool) -> Result<(), TestCaseError> {
    let mut rng = Rng::with_seed(seed);
    let (mut shop, mut pipeline) = (Shop::default(), Pipeline::new(gone, shapes));
    let mut last = Target::new();
    for lsn in 1..25 {
        pipeline.batch(&mut shop, &mut rng, lsn)?;
        let meant = pipeline.meant(&shop);
        for (id, cells) in &meant {
            prop_assert_eq!(pipeline.target.get(id), Some(cells));
        }
        for (id, cells) in pipeline
            .target
            .iter()
            .filter(|(id, _)| !meant.contains_key(id))
        {
            match gone {
                Gone::Delete => prop_assert!(false, "{:?} should be gone", id),
                // Within a batch a row may have come and changed before its cart ended.
                Gone::Keep => {}
                Gone::Set => prop_assert_eq!(cells[0].text(), Some("gone"), "{:?}", id),
            }
        }
        if gone != Gone::Delete {
            let kept = last.keys().all(|id| pipeline.target.contains_key(id));
            prop_assert!(kept, "a kept row is gone");
        }
        last.clone_from(&pipeline.target);
    }
    // Nothing changed: nothing is written.
    let carts = pipeline.ledger.iter().map(|(id, image)| {
        let position = Position {
            lsn: Lsn(0),
            seq: 0,
        };
        (key(id), Folding::new(image.clone(), position))
    });
    let carts = carts.collect();
    let rows: Vec<_> = pipeline
        .ledger
        .values()
        .map(|i| pipeline.rows(i.as_ref()))
        .collect();
    let left: Vec<Vec<Left>> = rows
        .iter()
        .map(|rows| {
            rows.iter()
                .map(|row| Left {
                    row: row.clone(),
                    token: None,
                })
                .collect()
        })
        .collect();
    let unit: Vec<Sides> = left
        .iter()
        .zip(&rows)
        .map(|(old, new)| Sides {
            old,
            new,
            dropped: &[],
        })
        .collect();
    prop_assert!(
        difference(&pipeline.mapper.mapping, &unit)
            .unwrap()
            .is_empty()
    );
    pipeline.write(carts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn a_target_without_ghosts_is_what_the_source_means(seed: u64) {
        history(seed, Gone::Delete, false)?;
    }

    #[test]
    fn kept_rows_stay_and_come_back(seed: u64) {
        history(seed, Gone::Keep, false)?;
    }

    #[test]
    fn set_rows_are_marked_and_come_back(seed: u64) {
        history(seed, Gone::Set, false)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn elements_and_groups_come_go_and_come_back(seed: u64) {
        let gone = [Gone::Delete, Gone::Keep, Gone::Set][(seed % 3) as usize];
        history(seed, gone, true)?;
    }
}
