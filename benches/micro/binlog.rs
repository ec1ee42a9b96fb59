//! A sale in MariaDB's binary log: its events as a server with default settings writes them
//! (checksums, no names of columns, whole rows).

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use cartage::catalog::{Catalog, ColumnInfo};
use cartage::mysql::catalog::{LogColumn, LogTable};
use cartage::mysql::types::{Declared, read};
use cartage::source::change::{Change, Event, Lsn, Op};
use cartage::source::mysql::decoder::{Decoder, Step};
use cartage::source::mysql::event::kind;
use cartage::source::mysql::event::table_map::types;
use cartage::source::mysql::place::{Base, Place};
use cartage::source::mysql::{Known, LogTables};

use crate::cart::{self, CART, LINES, SOLD_CART, SOLD_LINE};
use crate::catalog::{self, CART_COLUMNS, CART_ITEM_COLUMNS};
use crate::measured::Measured;

const SCHEMA: &str = "old";

/// A column's type: as it is declared, its number in the log, what the log says of it besides, and how
/// a value is written.
struct Type {
    declared: Declared<'static>,
    wire: u8,
    meta: &'static [u8],
    write: fn(&str, &mut Vec<u8>),
}

const fn declared(data_type: &'static str, column_type: &'static str) -> Declared<'static> {
    Declared {
        data_type,
        column_type,
        characters: None,
        octets: None,
        precision: None,
        scale: None,
        fraction: None,
        charset: None,
        collation: None,
        json_check: false,
    }
}

const fn text(
    data_type: &'static str,
    column_type: &'static str,
    characters: u64,
    charset: &'static str,
) -> Declared<'static> {
    Declared {
        characters: Some(characters),
        charset: Some(charset),
        ..declared(data_type, column_type)
    }
}

const BIGINT: Type = Type {
    declared: declared("bigint", "bigint(20)"),
    wire: types::LONGLONG,
    meta: &[],
    write: |text, out| out.extend(number::<i64>(text).to_le_bytes()),
};
const INT: Type = Type {
    declared: declared("int", "int(11)"),
    wire: types::LONG,
    meta: &[],
    write: |text, out| out.extend(number::<i32>(text).to_le_bytes()),
};
/// Lengths are in bytes, of which a letter may have four.
const TOKEN: Type = Type {
    declared: text("char", "char(36)", 36, "ascii"),
    wire: types::STRING,
    meta: &[types::STRING, 36],
    write: short,
};
const CURRENCY: Type = Type {
    declared: text("char", "char(3)", 3, "utf8mb4"),
    wire: types::STRING,
    meta: &[types::STRING, 12],
    write: short,
};
const STATUS: Type = Type {
    declared: text("varchar", "varchar(20)", 20, "utf8mb4"),
    wire: types::VARCHAR,
    meta: &[80, 0],
    write: short,
};
const SKU: Type = Type {
    declared: text("varchar", "varchar(40)", 40, "utf8mb4"),
    wire: types::VARCHAR,
    meta: &[160, 0],
    write: short,
};
const PRICE: Type = Type {
    declared: Declared {
        precision: Some(12),
        scale: Some(2),
        ..declared("decimal", "decimal(12,2)")
    },
    wire: types::NEWDECIMAL,
    meta: &[12, 2],
    write: price,
};
const TIMESTAMP: Type = Type {
    declared: Declared {
        fraction: Some(6),
        ..declared("timestamp", "timestamp(6)")
    },
    wire: types::TIMESTAMP2,
    meta: &[6],
    write: timestamp,
};

/// In the order of the columns of the catalog of Postgres, of which the names are.
const CART_TYPES: [Type; 8] = [
    BIGINT, TOKEN, BIGINT, CURRENCY, STATUS, INT, TIMESTAMP, TIMESTAMP,
];
const CART_ITEM_TYPES: [Type; 7] = [BIGINT, BIGINT, SKU, INT, PRICE, TIMESTAMP, TIMESTAMP];

fn number<N: std::str::FromStr>(text: &str) -> N {
    match text.parse() {
        Ok(number) => number,
        Err(_) => panic!("{text} is not such a number"),
    }
}

fn short(text: &str, out: &mut Vec<u8>) {
    out.push(text.len() as u8);
    out.extend(text.as_bytes());
}

/// Ten digits before the point and two after it: the first digit, the other nine, the two.
fn price(text: &str, out: &mut Vec<u8>) {
    let (whole, cents) = text.split_once('.').expect("a price");
    let whole: u64 = number(whole);
    // The first bit is set where it is not negative.
    out.push((whole / 1_000_000_000) as u8 | 0x80);
    out.extend(((whole % 1_000_000_000) as u32).to_be_bytes());
    out.push(number(cents));
}

fn timestamp(text: &str, out: &mut Vec<u8>) {
    let time = chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").expect("a time");
    out.extend((time.timestamp() as u32).to_be_bytes());
    out.extend(&time.timestamp_subsec_micros().to_be_bytes()[1..]);
}

/// A table as the server describes it, twice: for the mapping, and for the log's reader.
fn described(
    name: &str,
    columns: &[(&str, &str, u32)],
    types: &[Type],
) -> (Vec<ColumnInfo>, LogTable) {
    let each = (1..).zip(columns).zip(types);
    let described = each.map(|((ordinal, (name, ..)), ty)| {
        let charset = ty.declared.charset.map(str::to_owned);
        let (ty, kind) = read(&ty.declared);
        let info = catalog::column(name, ty.clone());
        let log = LogColumn {
            name: (*name).to_owned(),
            ordinal,
            ty,
            kind,
            charset,
            nullable: !info.not_null,
            is_virtual: false,
            touched: false,
        };
        (info, log)
    });
    let (infos, columns) = described.unzip();
    let table = LogTable {
        schema: SCHEMA.to_owned(),
        name: name.to_owned(),
        engine: "InnoDB".to_owned(),
        versioned: false,
        columns,
        foreign_keys: Vec::new(),
    };
    (infos, table)
}

fn decoder() -> Decoder {
    let (cart, cart_log) = described("cart", &CART_COLUMNS, &CART_TYPES);
    let (item, item_log) = described("cart_item", &CART_ITEM_COLUMNS, &CART_ITEM_TYPES);
    let source: Catalog = catalog::old_with(SCHEMA, cart, item);
    let layout: Arc<_> = cart::mapping("mysql", &source).layout;
    let known = Known {
        tables: LogTables::of(&layout, &[cart_log, item_log]),
        layout,
        compiled_at: Lsn(0),
        before: None,
        base: Base::new("binlog"),
        folds_names: false,
        passed: None,
        born: None,
    };
    Decoder::new(known, Place::at(1, 256))
}

/// With its header and checksum. Nobody says where it ends.
fn event(kind: u8, body: &[u8]) -> Bytes {
    let size = (19 + body.len() + 4) as u32;
    let mut event = ((cart::SOLD / 1_000_000) as u32).to_le_bytes().to_vec();
    event.push(kind);
    event.extend(1_u32.to_le_bytes());
    event.extend(size.to_le_bytes());
    event.extend([0; 4 + 2]);
    event.extend(body);
    event.extend(crc32fast::hash(&event).to_le_bytes());
    Bytes::from(event)
}

/// Version 4, headers of 19 bytes, checksums.
fn format() -> Bytes {
    let head = [4, 0].into_iter().chain([0; 50 + 4]);
    let body: Vec<u8> = head.chain([19, 0, 0, 0, 0, 0, 0, 1]).collect();
    event(kind::FORMAT_DESCRIPTION, &body)
}

fn begin() -> Bytes {
    let body = [&90_417_u64.to_le_bytes()[..], &[0, 0, 0, 0, 0x0c]].concat();
    event(kind::MARIADB_GTID, &body)
}

fn map(id: u8, name: &str, columns: &[Type]) -> Bytes {
    let mut body = vec![id, 0, 0, 0, 0, 0, 1, 0];
    for name in [SCHEMA, name] {
        short(name, &mut body);
        body.push(0);
    }
    body.push(columns.len() as u8);
    body.extend(columns.iter().map(|ty| ty.wire));
    let meta: Vec<u8> = columns.iter().flat_map(|ty| ty.meta).copied().collect();
    body.push(meta.len() as u8);
    body.extend(meta);
    // Which may be null.
    body.push(0);
    event(kind::TABLE_MAP, &body)
}

/// A row before and after.
fn updated(id: u8, columns: &[Type], rows: [&[&str]; 2]) -> Bytes {
    let all = ((1_u16 << columns.len()) - 1) as u8;
    let mut body = vec![id, 0, 0, 0, 0, 0, 1, 0, columns.len() as u8, all, all];
    for row in rows {
        // Which are null.
        body.push(0);
        for (ty, text) in columns.iter().zip(row) {
            (ty.write)(text, &mut body);
        }
    }
    event(kind::UPDATE_ROWS_V1, &body)
}

fn commit() -> Bytes {
    event(kind::XID, &[0; 8])
}

/// A transaction as the customers of the benchmark make them.
pub struct Sale {
    decoder: RefCell<Decoder>,
    events: [Bytes; 6],
}

impl Measured for Sale {
    type Input = [Bytes; 6];

    fn ready() -> Self {
        let sale = Self {
            decoder: RefCell::new(decoder()),
            events: [
                begin(),
                map(21, "cart", &CART_TYPES),
                updated(21, &CART_TYPES, [&CART, &SOLD_CART]),
                map(22, "cart_item", &CART_ITEM_TYPES),
                updated(22, &CART_ITEM_TYPES, [&LINES[1], &SOLD_LINE]),
                commit(),
            ],
        };
        sale.feed(format(), |event| panic!("{event:?}"));
        let mut told = Vec::new();
        for event in sale.input() {
            sale.feed(event, |event| told.push(event));
        }
        sale.check(&told);
        sale
    }

    fn input(&self) -> [Bytes; 6] {
        self.events.clone()
    }

    fn run(&self, input: [Bytes; 6]) {
        for event in input {
            self.feed(event, |event| {
                black_box(event);
            });
        }
    }
}

impl Sale {
    fn feed(&self, bytes: Bytes, mut take: impl FnMut(Event)) {
        let mut decoder = self.decoder.borrow_mut();
        if let Err(why) = decoder.feed(bytes) {
            panic!("{why}");
        }
        loop {
            match decoder.step() {
                Ok(Step::Event(event)) => take(event),
                Ok(Step::More) => {}
                Ok(Step::Done) => return,
                Err(why) => panic!("{why}"),
            }
        }
    }

    /// The rows are told with the texts that they were written from.
    fn check(&self, told: &[Event]) {
        let [Event::Begin { .. }, header, line, Event::Commit { .. }] = told else {
            panic!("not a sale: {told:?}");
        };
        let mapper = cart::mapper();
        let layout = mapper.layout();
        let update = |table, old, new| {
            let op = Op::Update {
                old: Some(old),
                new,
            };
            Event::Change(Change { table, op })
        };
        let rows = [&CART, &SOLD_CART].map(|row| cart::header(layout, row));
        let [old, new] = rows;
        assert_eq!(*header, update(cart::HEADER, old, new));
        let rows = [&LINES[1], &SOLD_LINE].map(|row| cart::item(layout, row));
        let [old, new] = rows;
        assert_eq!(*line, update(cart::LINE, old, new));
    }
}
