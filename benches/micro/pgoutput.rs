//! Messages of Postgres' log, each alone and those of a whole sale.

use std::cell::RefCell;
use std::hint::black_box;

use cartage::source::change::{Change, Event, Lsn, Op};
use cartage::source::postgres::LogTables;
use cartage::source::postgres::pgoutput::Decoder;

use crate::cart::{self, LINES, NEW_LINE, SOLD_CART, SOLD_LINE};
use crate::catalog::{self, CART_COLUMNS, CART_ITEM_COLUMNS};
use crate::measured::Measured;

/// As it comes in CopyData.
fn wal(message: &[u8]) -> Vec<u8> {
    [b"w", [0; 24].as_slice(), message].concat()
}

fn begin() -> Vec<u8> {
    let fields = [0x16_b374_d848_u64.to_be_bytes(), cart::SOLD.to_be_bytes()];
    wal(&[b"B", fields.concat().as_slice(), &740_213_u32.to_be_bytes()].concat())
}

fn commit() -> Vec<u8> {
    let places = [0x16_b374_d848_u64, 0x16_b374_d878].map(u64::to_be_bytes);
    wal(&[
        b"C\0",
        places.concat().as_slice(),
        &cart::SOLD.to_be_bytes(),
    ]
    .concat())
}

/// `full`: all columns are in the replica identity, else the first alone.
fn relation(id: u32, name: &str, columns: &[(&str, &str, u32)], full: bool) -> Vec<u8> {
    let mut message = vec![b'R'];
    message.extend(id.to_be_bytes());
    message.extend(b"public\0");
    message.extend(name.as_bytes());
    message.extend([0, if full { b'f' } else { b'd' }]);
    message.extend((columns.len() as u16).to_be_bytes());
    for (i, (name, _, oid)) in columns.iter().enumerate() {
        message.push(u8::from(full || i == 0));
        message.extend(name.as_bytes());
        message.push(0);
        message.extend(oid.to_be_bytes());
        message.extend((-1_i32).to_be_bytes());
    }
    wal(&message)
}

fn relations() -> [Vec<u8>; 2] {
    [
        relation(catalog::CART, "cart", &CART_COLUMNS, false),
        relation(catalog::CART_ITEM, "cart_item", &CART_ITEM_COLUMNS, true),
    ]
}

fn tuple(kind: u8, row: &[&str]) -> Vec<u8> {
    let mut tuple = vec![kind];
    tuple.extend((row.len() as u16).to_be_bytes());
    for text in row {
        tuple.push(b't');
        tuple.extend((text.len() as u32).to_be_bytes());
        tuple.extend(text.as_bytes());
    }
    tuple
}

fn change(kind: u8, table: u32, tuples: &[Vec<u8>]) -> Vec<u8> {
    let id = table.to_be_bytes();
    wal(&[&[kind], id.as_slice(), &tuples.concat()].concat())
}

fn header_updated() -> Vec<u8> {
    change(b'U', catalog::CART, &[tuple(b'N', &SOLD_CART)])
}

fn line_inserted() -> Vec<u8> {
    change(b'I', catalog::CART_ITEM, &[tuple(b'N', &NEW_LINE)])
}

/// With the old row before the new one.
fn line_updated() -> Vec<u8> {
    let tuples = [tuple(b'O', &LINES[1]), tuple(b'N', &SOLD_LINE)];
    change(b'U', catalog::CART_ITEM, &tuples)
}

/// A decoder, and messages that it can decode again and again.
struct Stream {
    decoder: RefCell<Decoder>,
    messages: Vec<Vec<u8>>,
}

impl Stream {
    /// `before`: what the decoder must have seen.
    fn new(before: &[Vec<u8>], messages: Vec<Vec<u8>>) -> Self {
        let mapping = cart::mapping("postgres", &catalog::old());
        let tables = LogTables::of(&mapping.layout, &catalog::old());
        let stream = Self {
            decoder: RefCell::new(Decoder::new(mapping.layout, tables, Lsn(0))),
            messages,
        };
        for message in before {
            stream.decode(message);
        }
        stream
    }

    /// Within a transaction.
    fn inside(message: Vec<u8>) -> Self {
        let [cart, item] = relations();
        Self::new(&[begin(), cart, item], vec![message])
    }

    fn decode(&self, message: &[u8]) -> Option<Event> {
        let event = self.decoder.borrow_mut().decode(black_box(message));
        event.unwrap_or_else(|why| panic!("{why}"))
    }

    fn events(&self) -> Vec<Event> {
        let events = self.messages.iter().map(|message| self.decode(message));
        events.flatten().collect()
    }

    fn run(&self) {
        for message in &self.messages {
            black_box(self.decode(message));
        }
    }
}

/// The change of a table, with no cell that is not known.
fn is_change(event: &Event, table: usize, is: impl Fn(&Op) -> bool) -> bool {
    let Event::Change(Change { table: at, op }) = event else {
        return false;
    };
    let (Op::Insert { new } | Op::Update { new, .. } | Op::Delete { old: new }) = op;
    *at == table && is(op) && new.iter().all(|cell| cell.text().is_some())
}

fn updates_header(event: &Event) -> bool {
    is_change(event, cart::HEADER, |op| {
        matches!(op, Op::Update { old: None, .. })
    })
}

fn updates_line(event: &Event) -> bool {
    is_change(event, cart::LINE, |op| {
        matches!(op, Op::Update { old: Some(_), .. })
    })
}

macro_rules! measured {
    ($(#[$about:meta])* $name:ident, $stream:expr, $gives:expr) => {
        $(#[$about])*
        pub struct $name(Stream);

        impl Measured for $name {
            type Input = ();

            fn ready() -> Self {
                let stream: Stream = $stream;
                let gives: fn(&[Event]) -> bool = $gives;
                assert!(gives(&stream.events()));
                Self(stream)
            }

            fn input(&self) {}

            fn run(&self, (): ()) {
                self.0.run();
            }
        }
    };
}

measured!(
    /// A table is told of, once in a stream.
    Announced,
    Stream::new(&[], vec![relations()[1].clone()]),
    |events| events.is_empty()
);

measured!(
    HeaderUpdated,
    Stream::inside(header_updated()),
    |events| matches!(events, [event] if updates_header(event))
);

measured!(LineInserted, Stream::inside(line_inserted()), |events| {
    let inserts = |op: &Op| matches!(op, Op::Insert { .. });
    matches!(events, [event] if is_change(event, cart::LINE, inserts))
});

measured!(
    LineUpdated,
    Stream::inside(line_updated()),
    |events| matches!(events, [event] if updates_line(event))
);

measured!(
    /// A transaction as the customers of the benchmark make them.
    Sale,
    Stream::new(
        &relations(),
        vec![begin(), header_updated(), line_updated(), commit()]
    ),
    |events| {
        let [Event::Begin { .. }, header, line, Event::Commit { .. }] = events else {
            return false;
        };
        updates_header(header) && updates_line(line)
    }
);
