//! Elements of payloads and groups against a plain model of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::cart::fold::Folding;
use crate::cart::image::{Cell, Row};
use crate::cart::layout::{Column, Layout, Table};
use crate::config::{FieldRule, Merge, QuantityRule};
use crate::mapping::expr::{Expr, IdKey, Scope, Shaped};
use crate::mapping::former::Before;
use crate::mapping::plan::{Fate, KeyColumn, Lock, MappedColumn, Mapping, Role, Shape};
use crate::source::change::Position;
use crate::sqltype::SqlType;

fn layout() -> Layout {
    let table = |alias: &str, columns: &[(&str, &str)], parent| Table {
        alias: alias.into(),
        schema: "public".into(),
        name: alias.into(),
        columns: columns
            .iter()
            .map(|(name, ty)| Column {
                name: (*name).into(),
                ty: SqlType::parse(ty),
                not_null: false,
                bytewise: false,
            })
            .collect(),
        key: vec![0],
        cart: Some(vec![if parent { 1 } else { 0 }]),
        parent: None,
    };
    Layout {
        tables: vec![
            table("carts", &[("id", "integer"), ("touched", "text")], false),
            table(
                "sessions",
                &[("id", "integer"), ("cart", "integer"), ("payload", "text")],
                true,
            ),
            table(
                "lines",
                &[
                    ("id", "integer"),
                    ("cart", "integer"),
                    ("product", "text"),
                    ("weight", "numeric"),
                    ("quantity", "integer"),
                ],
                true,
            ),
        ],
    }
}

/// An `[[into]]` whose key is the text of `key`.
fn into(per: usize, payload: Option<&str>, group: &[&str], key: &str, columns: &[&str]) -> Into {
    let layout = layout();
    let scope = Scope {
        layout: &layout,
        per,
    };
    let payload = payload.map(|text| Expr::compile(text, &scope).unwrap());
    let rows = Shaped {
        lookups: &[],
        item: payload.as_ref().and_then(Expr::item_class),
        group: None,
    };
    let compile = |text: &&str| Expr::compile_shaped(text, &scope, rows).unwrap();
    let group: Vec<Expr> = group.iter().map(compile).collect();
    let names = Shaped {
        lookups: &[],
        group: (!group.is_empty()).then_some(&group),
        ..rows
    };
    let compile = |text: &str| Expr::compile_shaped(text, &scope, names).unwrap();
    let ty = || SqlType::parse("text");
    Into {
        schema: "new".into(),
        table: format!("t{per}"),
        per,
        role: Role::Detail,
        lock: Lock::Row,
        filter: None,
        key: vec![KeyColumn {
            name: "id".into(),
            ty: ty(),
            expr: compile(key),
        }],
        columns: columns
            .iter()
            .map(|text| MappedColumn {
                name: (*text).into(),
                ty: ty(),
                expr: Some(compile(text)),
                once: false,
                merge: None,
            })
            .collect(),
        ended: Fate::Keep,
        deleted: Fate::Set(vec![(0, compile("'gone ' || commit_time()"))]),
        closed: None,
        has_triggers: false,
        shareable: false,
        line: None,
        shape: Shape { payload, group },
    }
}

fn mapper(intos: Vec<Into>) -> Mapper {
    Mapper {
        mapping: Mapping {
            lookups: Vec::new(),
            layout: Arc::new(layout()),
            live: None,
            intos: intos.into_iter().map(Arc::new).collect(),
            changed_at: None,
            merge: Merge {
                quantity: QuantityRule::Both,
                fields: FieldRule::Latest,
            },
            trusted_births: true,
            time_zone: chrono_tz::UTC,
        },
        id: 1,
        secret: IdKey::of(&[]),
    }
}

fn row(stamp: i64, cells: &[Option<&str>]) -> Row {
    let cell = |text: &Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.into()));
    Row {
        cells: cells.iter().map(cell).collect(),
        stamp,
    }
}

fn cart(sessions: Vec<Row>, lines: Vec<Row>) -> Image {
    let mut image = Image::empty(&layout());
    image.tables[0] = vec![row(0, &[Some("1"), Some("-")])];
    image.tables[1] = sessions;
    image.tables[2] = lines;
    image
}

fn payload(stamp: i64, text: &str) -> Image {
    cart(
        vec![row(stamp, &[Some("7"), Some("1"), Some(text)])],
        vec![],
    )
}

fn shown(rows: &[TargetRow]) -> BTreeMap<String, Vec<String>> {
    let text = |cell: &Cell| cell.text().unwrap_or("null").to_owned();
    let each = rows
        .iter()
        .map(|row| (row.key[0].to_string(), row.cells.iter().map(text).collect()));
    each.collect()
}

fn elements() -> Mapper {
    let columns = ["item->>'q'", "item_key", "header.touched"];
    let key = "id || '/' || item_key";
    mapper(vec![into(1, Some("payload"), &[], key, &columns)])
}

#[test]
fn arrays_and_objects_are_rows_by_index_and_by_name() {
    let rows = |text: &str| shown(&elements().map(&payload(1, text)).unwrap());
    let expected = |rows: &[(&str, &str)]| {
        let each = rows.iter().map(|(key, q)| {
            let cells = [q.to_string(), key.to_string(), "-".into()];
            (format!("7/{key}"), cells.to_vec())
        });
        each.collect::<BTreeMap<_, _>>()
    };
    let two = expected(&[("a", "1"), ("b", "null")]);
    assert_eq!(rows(r#"{"a": {"q": 1}, "b": {"x": 1}}"#), two);
    assert_eq!(rows(r#"{"b": {"x": 1}, "a": {"q": 1}}"#), two);
    assert_eq!(rows(r#"{"a": {"q": 9}, "b": null, "a": {"q": 1}}"#), two);
    assert_eq!(
        rows(r#"[{"q": "x"}, {"q": 2}]"#),
        expected(&[("0", "x"), ("1", "2")])
    );
    for none in ["", "  ", "null", "[]", "{}"] {
        assert_eq!(rows(none), BTreeMap::new(), "{none:?}");
    }
    let null = cart(vec![row(1, &[Some("7"), Some("1"), None])], vec![]);
    assert_eq!(elements().map(&null), Ok(Vec::new()));
    for bad in ["{", "5", "\"x\"", "true", "a:1:{}"] {
        let error = elements().map(&payload(1, bad)).unwrap_err().to_string();
        assert!(error.starts_with("new.t1.per: the payload is "), "{error}");
    }
}

/// What was, what is then, and what the target holds in between, settled as a lane does it.
fn settle(mapper: &Mapper, before: &Image, mut now: Image, time: i64) -> (Image, Vec<TargetRow>) {
    let rows = mapper.map(before).unwrap();
    now.ghosts.clone_from(&before.ghosts);
    now.moments.clone_from(&before.moments);
    let mut folding = Folding::new(Some(now), Position::default());
    folding.time = Some(time);
    let before = Before {
        image: before,
        rows: &rows,
        current: true,
    };
    let rows = mapper
        .settle(Some(before), &mut folding, &|_| false)
        .unwrap();
    let image = folding.image.unwrap();
    assert_eq!(mapper.map(&image).unwrap(), rows);
    (image, rows)
}

#[test]
fn an_element_has_the_time_of_its_own_change_and_is_marked_when_it_goes() {
    let columns = [
        "item->>'q'",
        "extract(epoch from commit_time())::integer::text",
    ];
    let mapper = mapper(vec![into(1, Some("payload"), &[], "item_key", &columns)]);
    let second = 1_000_000;
    let at = |image: &Image, seconds: i64, text: &str| {
        settle(&mapper, image, payload(seconds * second, text), 99 * second)
    };
    let times = |rows: &[TargetRow]| -> Vec<String> {
        let each = shown(rows).into_iter();
        each.map(|(key, cells)| format!("{key} {} {}", cells[0], cells[1]))
            .collect()
    };
    let first = payload(second, r#"{"a": {"q": 1}, "b": {"q": 1}}"#);
    let (image, rows) = at(&first, 5, r#"{"b": {"q": 1, "x": 0}, "a": {"q": 2}}"#);
    assert_eq!(times(&rows), ["a 2 5", "b 1 1"]);
    let (image, rows) = at(&image, 6, r#"{"b": {"q": 1}, "a": {"q": 2}, "c": {}}"#);
    assert_eq!(times(&rows), ["a 2 5", "b 1 1", "c null 6"]);
    let (image, rows) = at(&image, 7, r#"{"b": {"q": 3}, "c": {}}"#);
    let gone = "a gone 1970-01-01 00:00:07+00 5";
    assert_eq!(times(&rows), [gone, "b 3 7", "c null 6"]);
    let (image, rows) = at(&image, 8, r#"{"c": {}}"#);
    let other = "b gone 1970-01-01 00:00:08+00 7";
    assert_eq!(times(&rows), [gone, other, "c null 6"]);
    let (image, rows) = at(&image, 9, r#"{"c": {}, "a": {"q": 2}}"#);
    assert_eq!(times(&rows), ["a 2 9", other, "c null 6"]);
    let stored = crate::cart::codec::decode(&crate::cart::codec::encode(&image)).unwrap();
    assert_eq!(stored, image);
    let mut read = payload(9 * second, r#"{"c": {}, "a": {"q": 2}}"#);
    read.keep_stamps(&layout(), &image);
    read.ghosts.clone_from(&image.ghosts);
    assert_eq!(read, image);
}

#[test]
fn a_group_is_as_new_as_the_latest_of_its_rows() {
    let columns = [
        "sum(quantity)::text",
        "extract(epoch from commit_time())::integer::text",
    ];
    let group = ["product", "weight"];
    let key = "product || coalesce(weight::text, '-')";
    let mapper = mapper(vec![into(2, None, &group, key, &columns)]);
    let line = |seconds: i64, id: &str, weight: Option<&str>, quantity: &str| {
        let cells = [Some(id), Some("1"), Some("p"), weight, Some(quantity)];
        row(seconds * 1_000_000, &cells)
    };
    let first = cart(
        vec![],
        vec![
            line(3, "1", Some("1.50"), "2"),
            line(5, "2", Some("1.5"), "3"),
            line(4, "3", None, "1"),
            line(2, "4", None, "1"),
        ],
    );
    let rows = shown(&mapper.map(&first).unwrap());
    assert_eq!(rows["p1.50"], ["5", "5"]);
    assert_eq!(rows["p-"], ["2", "4"]);
    let next = cart(
        vec![],
        vec![line(3, "1", Some("1.50"), "2"), line(7, "2", None, "3")],
    );
    let (image, rows) = settle(&mapper, &first, next, 99);
    assert_eq!(shown(&rows)["p1.50"], ["2", "3"]);
    assert_eq!(shown(&rows)["p-"], ["3", "7"]);
    let last = cart(vec![], vec![line(8, "2", Some("1.50"), "3")]);
    let (_, rows) = settle(&mapper, &image, last, 99);
    assert_eq!(shown(&rows)["p1.50"], ["3", "8"]);
    assert_eq!(shown(&rows)["p-"][0], "gone 1970-01-01 00:00:08+00");
}

/// A random cart as a model has it: payloads and lines.
#[derive(Debug)]
struct Plain {
    /// By session: elements by name, in the order in which they are written.
    sessions: Vec<Vec<(String, u32)>>,
    /// Product, weight in tenths, quantity.
    lines: Vec<(&'static str, Option<u32>, i32)>,
}

impl Plain {
    fn random(rng: &mut Rng) -> Self {
        let session = |rng: &mut Rng| {
            let each = (0..rng.usize(0..5)).map(|_| (format!("k{}", rng.u8(0..6)), rng.u32(0..3)));
            each.collect::<Vec<_>>()
        };
        Self {
            sessions: (0..rng.usize(0..4)).map(|_| session(rng)).collect(),
            lines: (0..rng.usize(0..9))
                .map(|_| {
                    let product = ["a", "b", "ab"][rng.usize(0..3)];
                    let weight = rng.bool().then(|| rng.u32(9..12));
                    (product, weight, rng.i32(-2..5))
                })
                .collect(),
        }
    }

    fn image(&self, rng: &mut Rng) -> Image {
        let session = |(id, elements): (usize, &Vec<(String, u32)>)| {
            let each = elements
                .iter()
                .map(|(key, q)| format!("\"{key}\":{{\"q\":{q}}}"));
            let text = format!("{{{}}}", each.collect::<Vec<_>>().join(", "));
            row(0, &[Some(&id.to_string()), Some("1"), Some(&text)])
        };
        let mut line = |(id, (product, weight, quantity)): (usize, &(&str, Option<u32>, i32))| {
            let zeros = "0".repeat(rng.usize(0..3));
            let weight = weight.map(|w| format!("{}.{}{zeros}", w / 10, w % 10));
            let (id, quantity) = (id.to_string(), quantity.to_string());
            row(
                0,
                &[
                    Some(&id),
                    Some("1"),
                    Some(product),
                    weight.as_deref(),
                    Some(&quantity),
                ],
            )
        };
        cart(
            self.sessions.iter().enumerate().map(session).collect(),
            self.lines.iter().enumerate().map(&mut line).collect(),
        )
    }

    fn elements(&self) -> BTreeMap<String, Vec<String>> {
        let mut rows = BTreeMap::new();
        for (id, elements) in self.sessions.iter().enumerate() {
            for (key, q) in elements {
                rows.insert(
                    format!("{id}/{key}"),
                    vec![q.to_string(), key.clone(), "-".into()],
                );
            }
        }
        rows
    }

    fn groups(&self) -> BTreeMap<String, Vec<String>> {
        let mut groups: BTreeMap<String, (i32, usize, Vec<String>)> = BTreeMap::new();
        for (id, (product, weight, quantity)) in self.lines.iter().enumerate() {
            let weight = weight.map_or("-".into(), |w| (f64::from(w) / 10.0).to_string());
            let group = groups.entry(format!("{product}:{weight}")).or_default();
            group.0 += quantity;
            group.1 += 1;
            group.2.insert(0, id.to_string());
        }
        let cells = |(sum, count, ids): (i32, usize, Vec<String>)| {
            vec![
                sum.to_string(),
                count.to_string(),
                ids.join(" "),
                ids[0].clone(),
            ]
        };
        groups.into_iter().map(|(key, g)| (key, cells(g))).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn elements_and_groups_are_those_of_a_plain_model(seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let plain = Plain::random(&mut rng);
        let image = plain.image(&mut rng);
        prop_assert_eq!(shown(&elements().map(&image).unwrap()), plain.elements());
        let group = ["product", "weight::double precision"];
        let key = "product || ':' || coalesce(weight::double precision::text, '-')";
        let columns = [
            "sum(quantity)::text",
            "count(*)::text",
            "string_agg(id::text, ' ' order by id desc)",
            "first(id order by id desc)::text",
        ];
        let grouped = mapper(vec![into(2, None, &group, key, &columns)]);
        prop_assert_eq!(shown(&grouped.map(&image).unwrap()), plain.groups());
    }
}
