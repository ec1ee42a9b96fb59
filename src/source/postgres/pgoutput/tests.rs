use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::cart::layout::{Column, Table};
use crate::sqltype::{Class, SqlType};

const ID: u32 = 16_400;
const TEXT: u32 = 25;

fn layout(columns: &[&str]) -> Arc<Layout> {
    let columns = columns.iter().map(|name| Column {
        name: name.to_string(),
        ty: SqlType::of(Class::Text),
        not_null: false,
        bytewise: false,
    });
    Arc::new(Layout {
        tables: vec![Table {
            alias: "o".into(),
            schema: "public".into(),
            name: "orders".into(),
            columns: columns.collect(),
            key: vec![0],
            cart: None,
            parent: None,
        }],
    })
}

fn wal(message: &[u8]) -> Vec<u8> {
    [b"w", [0; 24].as_slice(), message].concat()
}

fn keepalive(end: u64) -> Vec<u8> {
    [b"k".as_slice(), &end.to_be_bytes(), &[0; 9]].concat()
}

fn id(xid: u32, commit: u64) -> TransactionId {
    TransactionId {
        xid,
        commit: Lsn(commit),
        gtid: None,
    }
}

fn begin(commit: u64, time: i64, xid: u32) -> Vec<u8> {
    let fields = [commit.to_be_bytes(), time.to_be_bytes()].concat();
    wal(&[b"B", fields.as_slice(), &xid.to_be_bytes()].concat())
}

fn commit(end: u64) -> Vec<u8> {
    wal(&[b"C\0".as_slice(), &[0; 8], &end.to_be_bytes(), &[0; 8]].concat())
}

/// Columns are name, type and whether they are in the replica identity.
fn relation(id: u32, name: &str, columns: &[(&str, u32, bool)]) -> Vec<u8> {
    let mut m = vec![b'R'];
    m.extend(id.to_be_bytes());
    m.extend(b"public\0");
    m.extend(name.as_bytes());
    m.extend(b"\0d");
    m.extend((columns.len() as u16).to_be_bytes());
    for (name, type_oid, key) in columns {
        m.push(u8::from(*key));
        m.extend(name.as_bytes());
        m.push(0);
        m.extend(type_oid.to_be_bytes());
        m.extend((-1_i32).to_be_bytes());
    }
    wal(&m)
}

fn orders(columns: &[(&str, u32, bool)]) -> Vec<u8> {
    relation(ID, "orders", columns)
}

fn tuple(kind: u8, cells: &[Cell]) -> Vec<u8> {
    let mut m = vec![kind];
    m.extend((cells.len() as u16).to_be_bytes());
    for cell in cells {
        match cell {
            Cell::Null => m.push(b'n'),
            Cell::Missing => m.push(b'u'),
            Cell::Text(text) => {
                m.push(b't');
                m.extend((text.len() as u32).to_be_bytes());
                m.extend(text.as_bytes());
            }
        }
    }
    m
}

fn row(kind: u8, id: u32, tuples: &[Vec<u8>]) -> Vec<u8> {
    wal(&[&[kind], id.to_be_bytes().as_slice(), &tuples.concat()].concat())
}

fn types(columns: &[&str]) -> LogTables {
    let ty = |name: &&str| if *name == "id" { 20 } else { TEXT };
    LogTables(vec![(ID, columns.iter().map(ty).collect())])
}

fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

fn cells(cells: &[Cell]) -> Cells {
    cells.to_vec().into()
}

/// A decoder inside a transaction, the table announced.
fn ready(names: &[&str], columns: &[(&str, u32, bool)]) -> Decoder {
    let mut decoder = Decoder::new(layout(names), types(names), Lsn(0));
    decoder.decode(&begin(1, 0, 1)).expect("Begin");
    decoder.decode(&orders(columns)).expect("Relation");
    decoder
}

fn op(decoder: &mut Decoder, payload: &[u8]) -> Op {
    match decoder.decode(payload) {
        Ok(Some(Event::Change(change))) => change.op,
        other => panic!("not a change: {other:?}"),
    }
}

const PLAIN: &[(&str, u32, bool)] = &[("id", 20, true), ("email", TEXT, false)];
const NAMES: &[&str] = &["id", "email"];

#[test]
fn the_borders_carry_position_time_and_number() {
    let mut decoder = Decoder::new(layout(NAMES), types(NAMES), Lsn(0));
    let event = decoder.decode(&begin(7, 1_000_000, 42)).expect("Begin");
    let commit_time = 946_684_801_000_000;
    assert_eq!(
        event,
        Some(Event::Begin {
            id: id(42, 7),
            commit_time
        })
    );
    assert!(decoder.decode(&begin(8, 0, 43)).is_err());
    let mut decoder = ready(NAMES, PLAIN);
    let event = decoder.decode(&commit(9)).expect("Commit");
    assert_eq!(event, Some(Event::Commit { end: Lsn(9) }));
    assert!(decoder.decode(&commit(10)).is_err());
    let late = row(b'I', ID, &[tuple(b'N', &[text("1"), Cell::Null])]);
    assert!(decoder.decode(&late).is_err());
}

#[test]
fn a_full_identity_brings_the_whole_old_row() {
    let mut decoder = ready(NAMES, &[("id", 20, true), ("email", TEXT, true)]);
    let old = [text("1"), Cell::Null];
    let new = [text("1"), text("a@b")];
    let update = row(b'U', ID, &[tuple(b'O', &old), tuple(b'N', &new)]);
    let expected = Op::Update {
        old: Some(cells(&old)),
        new: cells(&new),
    };
    assert_eq!(op(&mut decoder, &update), expected);
    let delete = row(b'D', ID, &[tuple(b'O', &old)]);
    let expected = Op::Delete { old: cells(&old) };
    assert_eq!(op(&mut decoder, &delete), expected);
}

#[test]
fn a_key_identity_knows_nothing_of_the_rest() {
    let mut decoder = ready(NAMES, PLAIN);
    let logged = [text("1"), Cell::Null];
    let known = cells(&[text("1"), Cell::Missing]);
    let new = [text("2"), Cell::Missing];
    let update = row(b'U', ID, &[tuple(b'K', &logged), tuple(b'N', &new)]);
    let expected = Op::Update {
        old: Some(known.clone()),
        new: cells(&new),
    };
    assert_eq!(op(&mut decoder, &update), expected);
    let delete = row(b'D', ID, &[tuple(b'K', &logged)]);
    assert_eq!(op(&mut decoder, &delete), Op::Delete { old: known });
    let update = row(b'U', ID, &[tuple(b'N', &new)]);
    let expected = Op::Update {
        old: None,
        new: cells(&new),
    };
    assert_eq!(op(&mut decoder, &update), expected);
}

#[test]
fn columns_are_found_by_name_in_each_version_of_the_table() {
    let mut decoder = ready(NAMES, PLAIN);
    let wider = [
        ("note", TEXT, false),
        ("email", TEXT, false),
        ("id", 20, true),
    ];
    decoder.decode(&orders(&wider)).expect("added, reordered");
    let insert = tuple(b'N', &[text("n"), text("a@b"), text("1")]);
    let new = cells(&[text("1"), text("a@b")]);
    let insert = row(b'I', ID, &[insert]);
    assert_eq!(op(&mut decoder, &insert), Op::Insert { new });
    decoder.decode(&orders(PLAIN)).expect("dropped again");
    assert!(decoder.decode(&insert).is_err(), "three cells for two");
}

#[test]
fn what_the_mapping_cannot_bear_is_named() {
    let said = |columns: &[(&str, u32, bool)]| match ready(NAMES, PLAIN).decode(&orders(columns)) {
        Err(SourceError::Schema {
            table,
            column,
            what,
            ..
        }) => (table, column, what),
        other => panic!("accepted: {other:?}"),
    };
    let (table, column, what) = said(&[("id", 20, true)]);
    assert_eq!(
        (table.as_str(), column.as_str()),
        ("public.orders", "email")
    );
    assert!(what.contains("no longer"));
    let (_, column, what) = said(&[("id", 20, true), ("email", 17, false)]);
    assert_eq!(column, "email");
    assert!(what.contains("type"));
    // As a table of another id too: dropped and made anew.
    let again = relation(
        ID + 1,
        "orders",
        &[("id", 2950, true), ("email", TEXT, false)],
    );
    let error = ready(NAMES, PLAIN)
        .decode(&again)
        .expect_err("another type");
    assert!(matches!(error, SourceError::Schema { .. }));
}

#[test]
fn rows_of_before_a_change_of_the_table_say_what_they_can() {
    let mut decoder = Decoder::new(layout(NAMES), types(NAMES), Lsn(5));
    decoder.decode(&begin(4, 0, 1)).expect("Begin");
    let insert = |decoder: &mut Decoder, columns: &[(&str, u32, bool)], cells: &[Cell]| {
        decoder.decode(&orders(columns)).expect("of before");
        op(decoder, &row(b'I', ID, &[tuple(b'N', cells)]))
    };
    // A column that was not there yet, one of another type, and one that is written alike.
    let new = cells(&[Cell::Missing, Cell::Missing]);
    let found = insert(&mut decoder, &[("id", 23, true)], &[text("1")]);
    assert_eq!(found, Op::Insert { new: new.clone() });
    let other = [("id", 20, true), ("email", 17, false)];
    let found = insert(&mut decoder, &other, &[text("1"), text("\\x00")]);
    assert_eq!(found, Op::Insert { new });
    let alike = [("id", 20, true), ("email", 1043, false)];
    let found = insert(&mut decoder, &alike, &[text("1"), text("a")]);
    let new = cells(&[text("1"), text("a")]);
    assert_eq!(found, Op::Insert { new: new.clone() });
    // The table itself under another name.
    let renamed = relation(ID, "purchases", PLAIN);
    decoder.decode(&renamed).expect("of before");
    let found = op(
        &mut decoder,
        &row(b'I', ID, &[tuple(b'N', &[text("1"), text("a")])]),
    );
    assert_eq!(found, Op::Insert { new });
    decoder.decode(&commit(5)).expect("Commit");
    // After that the mapping is out of date.
    decoder.decode(&begin(6, 0, 2)).expect("Begin");
    assert!(decoder.decode(&orders(&alike)).is_err());
    let error = decoder.decode(&renamed).expect_err("renamed");
    assert!(matches!(error, SourceError::Renamed { .. }), "{error}");
}

#[test]
fn an_update_that_hides_what_was_is_no_update_of_the_same_key() {
    let mut decoder = ready(NAMES, &[("id", 20, false), ("email", TEXT, true)]);
    let new = [text("2"), text("a")];
    let update = row(b'U', ID, &[tuple(b'N', &new)]);
    let expected = Op::Update {
        old: Some(cells(&[Cell::Missing, Cell::Missing])),
        new: cells(&new),
    };
    assert_eq!(op(&mut decoder, &update), expected);
}

#[test]
fn what_is_not_of_the_cart_is_skipped() {
    let mut decoder = ready(NAMES, PLAIN);
    for message in [
        &b"O\0\0\0\0\0\0\0\x01somewhere\0"[..],
        b"Y\0\0\x40\x01public\0mood\0",
        b"M\0\0\0\0\0\0\0\0\x01prefix\0\0\0\0\x01x",
    ] {
        assert_eq!(decoder.decode(&wal(message)).expect("skipped"), None);
    }
    let other = relation(9, "stock", &[("id", 20, true)]);
    assert_eq!(decoder.decode(&other).expect("Relation"), None);
    let insert = row(b'I', 9, &[tuple(b'N', &[text("1")])]);
    assert_eq!(decoder.decode(&insert).expect("Insert"), None);
    let ids = [2_u32.to_be_bytes(), [0, 0, 0, 9], ID.to_be_bytes()];
    let truncate = wal(&[b"T", &ids[0][..], &[0], &ids[1..].concat()].concat());
    let event = decoder.decode(&truncate).expect("Truncate");
    assert_eq!(event, Some(Event::Truncate(vec![0])));
    let unknown = row(b'I', 10, &[tuple(b'N', &[text("1")])]);
    assert!(decoder.decode(&unknown).is_err());
}

#[test]
fn a_keepalive_inside_a_transaction_is_swallowed_and_asked_for_again() {
    let mut decoder = Decoder::new(layout(NAMES), types(NAMES), Lsn(0));
    let event = decoder.decode(&keepalive(5)).expect("keepalive");
    assert_eq!(event, Some(Event::Keepalive { end: Lsn(5) }));
    decoder.decode(&begin(9, 0, 1)).expect("Begin");
    assert_eq!(decoder.decode(&keepalive(20)).expect("keepalive"), None);
    assert!(!decoder.take_dropped_keepalive());
    decoder.decode(&commit(10)).expect("Commit");
    assert!(decoder.take_dropped_keepalive());
    assert!(!decoder.take_dropped_keepalive());
}

fn a_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        Just(Cell::Missing),
        ".{0,12}".prop_map(|t| Cell::Text(t.into())),
    ]
}

/// Whether the old row is whole, and its cells.
type Old = (bool, Vec<Cell>);

/// A table of up to 8 columns of which the layout maps some in an order of its own, and rows.
#[derive(Clone, Debug)]
struct Story {
    columns: Vec<(String, u32, bool)>,
    places: Vec<usize>,
    rows: Vec<(Option<Old>, Option<Vec<Cell>>)>,
}

fn a_story() -> impl Strategy<Value = Story> {
    (1..8_usize).prop_flat_map(|width| {
        let columns = vec((any::<u32>(), any::<bool>()), width).prop_map(|all| {
            let named = all.into_iter().enumerate();
            named
                .map(|(i, (oid, key))| (format!("c{i}"), oid, key))
                .collect::<Vec<_>>()
        });
        let order = Just((0..width).collect::<Vec<_>>()).prop_shuffle();
        let places = (order, 1..=width).prop_map(|(mut order, kept)| {
            order.truncate(kept);
            order
        });
        let cells = || vec(a_cell(), width);
        let rows = vec(
            (option::of((any::<bool>(), cells())), option::of(cells())),
            0..6,
        );
        (columns, places, rows).prop_map(|(columns, places, rows)| Story {
            columns,
            places,
            rows,
        })
    })
}

impl Story {
    fn layout(&self) -> Arc<Layout> {
        let mapped = self.places.iter().map(|i| self.columns[*i].0.as_str());
        layout(&mapped.collect::<Vec<_>>())
    }

    fn columns(&self) -> Vec<(&str, u32, bool)> {
        let columns = self.columns.iter();
        columns
            .map(|(n, oid, key)| (n.as_str(), *oid, *key))
            .collect()
    }

    fn mapped(&self, logged: &[Cell], key_only: bool) -> Cells {
        let cell = |i: &usize| match key_only && !self.columns[*i].2 {
            true => Cell::Missing,
            false => logged[*i].clone(),
        };
        self.places.iter().map(cell).collect()
    }

    /// Each message with the event that it must yield.
    fn messages(&self) -> Vec<(Vec<u8>, Option<Event>)> {
        let mut told = vec![
            (
                begin(5, 0, 3),
                Some(Event::Begin {
                    id: id(3, 5),
                    commit_time: EPOCH,
                }),
            ),
            (orders(&self.columns()), None),
        ];
        for (old, new) in &self.rows {
            let kind = |full: bool| if full { b'O' } else { b'K' };
            let before = old.as_ref().map(|(full, old)| self.mapped(old, !full));
            let logged = old.as_ref().map(|(full, old)| tuple(kind(*full), old));
            let (message, op) = match (new, before) {
                (Some(new), old) => {
                    // The key is the layout's first column.
                    let hidden = vec![Cell::Missing; self.places.len()];
                    let hidden = (!self.columns[self.places[0]].2).then(|| cells(&hidden));
                    let old = old.or(hidden);
                    let tuples = logged.into_iter().chain([tuple(b'N', new)]);
                    let new = self.mapped(new, false);
                    let message = row(b'U', ID, &tuples.collect::<Vec<_>>());
                    (message, Op::Update { old, new })
                }
                (None, Some(old)) => (
                    row(b'D', ID, &logged.into_iter().collect::<Vec<_>>()),
                    Op::Delete { old },
                ),
                (None, None) => {
                    let nulls = vec![Cell::Null; self.columns.len()];
                    let new = self.mapped(&nulls, false);
                    (row(b'I', ID, &[tuple(b'N', &nulls)]), Op::Insert { new })
                }
            };
            told.push((message, Some(Event::Change(Change { table: 0, op }))));
        }
        told.push((commit(6), Some(Event::Commit { end: Lsn(6) })));
        told
    }
}

proptest! {
    #[test]
    fn well_formed_messages_yield_what_they_say(story in a_story()) {
        let mut decoder = Decoder::new(story.layout(), LogTables::default(), Lsn(0));
        for (message, expected) in story.messages() {
            prop_assert_eq!(decoder.decode(&message).expect("well formed"), expected);
        }
    }

    #[test]
    fn truncated_and_overlong_messages_are_errors(story in a_story(), extra in any::<u8>()) {
        let messages = story.messages();
        for (broken, (message, _)) in messages.iter().enumerate() {
            let bad = (0..message.len()).map(|cut| message[..cut].to_vec());
            for bad in bad.chain([[message.as_slice(), &[extra]].concat()]) {
                let mut decoder = Decoder::new(story.layout(), LogTables::default(), Lsn(0));
                for (message, _) in &messages[..broken] {
                    decoder.decode(message).expect("well formed");
                }
                prop_assert!(decoder.decode(&bad).is_err());
            }
        }
    }

    #[test]
    fn mutated_messages_never_panic(
        story in a_story(),
        flips in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut messages: Vec<_> = story.messages().into_iter().map(|(m, _)| m).collect();
        for (message, byte, value) in flips {
            let message = message.get_mut(&mut messages);
            let at = byte.index(message.len());
            message[at] = value;
        }
        let mut decoder = Decoder::new(story.layout(), LogTables::default(), Lsn(0));
        for message in messages {
            let _ = decoder.decode(&message);
        }
    }

    #[test]
    fn noise_never_panics(noise in vec(vec(any::<u8>(), 0..64), 1..8)) {
        let mut decoder = ready(NAMES, PLAIN);
        for payload in noise {
            let _ = decoder.decode(&payload);
            let _ = decoder.decode(&wal(&payload));
        }
    }
}
