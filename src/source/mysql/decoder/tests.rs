//! Logs put together by hand, for what real servers do not write when they are asked to.

use bytes::Bytes;

use super::*;
use crate::cart::image::Cell;
use crate::cart::layout::{Column, Table};
use crate::mysql::catalog::{LogColumn, LogTable};
use crate::mysql::types::{Declared, read};
use crate::source::change::Op;

const ARTIFICIAL: u16 = 0x20;
const IGNORABLE: u16 = 0x80;

fn column(name: &str) -> (Column, LogColumn) {
    let declared = Declared {
        data_type: "int",
        column_type: "int(11)",
        ..Declared::default()
    };
    let (ty, kind) = read(&declared);
    let column = Column {
        name: name.to_owned(),
        ty: ty.clone(),
        not_null: false,
        bytewise: true,
    };
    let log = LogColumn {
        name: name.to_owned(),
        ordinal: 1,
        ty,
        kind,
        nullable: true,
        is_virtual: false,
        touched: false,
        charset: None,
    };
    (column, log)
}

/// `shop.cart`, with an `id` and a `qty`.
fn known(compiled_at: Lsn) -> Known {
    let (columns, log): (Vec<_>, Vec<_>) = ["id", "qty"].map(column).into_iter().unzip();
    let layout = Layout {
        tables: vec![Table {
            alias: "cart".into(),
            schema: "shop".into(),
            name: "cart".into(),
            columns,
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    };
    let table = LogTable {
        schema: "shop".into(),
        name: "cart".into(),
        engine: "InnoDB".into(),
        versioned: false,
        columns: log,
        foreign_keys: Vec::new(),
    };
    let tables = LogTables::of(&layout, &[table]);
    Known {
        layout: Arc::new(layout),
        before: Some(tables.clone()),
        tables,
        compiled_at,
        base: Base::new("binlog"),
        folds_names: false,
        passed: None,
        born: None,
    }
}

/// A log that is written and read at once.
struct Log {
    decoder: Decoder,
    at: u64,
}

impl Log {
    fn at(offset: u64, compiled_at: Lsn) -> Self {
        let mut log = Self {
            decoder: Decoder::new(known(compiled_at), Place::at(1, offset)),
            at: offset,
        };
        let mut format = vec![4, 0];
        format.extend([0; 50 + 4]);
        format.extend([19, 0, 0, 0, 0, 0, 0]);
        // The checksums of its events, and its own.
        let body = [&format[..], &[0], &[0; 4]].concat();
        log.event(kind::FORMAT_DESCRIPTION, &body, 0, 0)
            .expect("a format");
        log
    }

    /// As it comes, with the end that it claims.
    fn event(
        &mut self,
        kind: u8,
        body: &[u8],
        end: u32,
        flags: u16,
    ) -> Result<Vec<Event>, SourceError> {
        let size = (19 + body.len()) as u32;
        let mut bytes = 7_u32.to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend(end.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(body);
        self.decoder.feed(Bytes::from(bytes))?;
        let mut events = Vec::new();
        loop {
            match self.decoder.step()? {
                Step::Event(event) => events.push(event),
                Step::More => {}
                Step::Done => return Ok(events),
            }
        }
    }

    /// An event that stands in the log.
    fn write(&mut self, kind: u8, body: &[u8]) -> Result<Vec<Event>, SourceError> {
        self.at += 19 + body.len() as u64;
        self.event(kind, body, self.at as u32, 0)
    }

    /// The same, where the server does not say where it ends.
    fn write_blind(&mut self, kind: u8, body: &[u8]) -> Result<Vec<Event>, SourceError> {
        self.at += 19 + body.len() as u64;
        self.event(kind, body, 0, 0)
    }

    fn begin(&mut self) -> Vec<Event> {
        let id = [&9_u64.to_le_bytes()[..], &[0, 0, 0, 0, 0x0c]].concat();
        self.write(kind::MARIADB_GTID, &id).expect("a beginning")
    }

    fn row(&mut self, id: u8) -> Vec<Event> {
        let events = self.write_blind(kind::TABLE_MAP, &map()).expect("a map");
        assert!(events.is_empty());
        self.write_blind(kind::WRITE_ROWS_V1, &rows(id))
            .expect("rows")
    }

    fn query(&mut self, text: &str) -> Result<Vec<Event>, SourceError> {
        let mut body = 33_u32.to_le_bytes().to_vec();
        body.extend([0; 4]);
        body.extend([4, 0, 0, 0, 0]);
        body.extend(b"shop\0");
        body.extend(text.as_bytes());
        self.write(kind::QUERY, &body)
    }

    fn commit(&mut self) -> Vec<Event> {
        self.write(kind::XID, &[0; 8]).expect("a commit")
    }

    fn end(&self) -> Lsn {
        Place::at(1, self.at).lsn()
    }
}

fn map() -> Vec<u8> {
    let mut body = vec![5, 0, 0, 0, 0, 0, 1, 0];
    body.extend(b"\x04shop\0\x04cart\0");
    // Two INTs, no metadata, both may be null.
    body.extend([2, 3, 3, 0, 3]);
    body
}

fn rows(id: u8) -> Vec<u8> {
    let mut body = vec![5, 0, 0, 0, 0, 0, 1, 0, 2, 3];
    body.extend([0, id, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    body
}

fn inserted(id: u8) -> Event {
    let text = |text: String| Cell::Text(text.into());
    let new = vec![text(id.to_string()), text("-1".into())].into();
    Event::Change(Change {
        table: 0,
        op: Op::Insert { new },
    })
}

fn is_doubt(event: &Event) -> bool {
    matches!(event, Event::Change(Change { op: Op::Update { new, .. }, .. })
        if new.iter().all(|cell| *cell == Cell::Missing))
}

#[test]
fn ends_that_nobody_says_are_counted() {
    let mut log = Log::at(400, Lsn(0));
    let begin = log.end();
    assert!(log.begin().is_empty());
    let events = log.row(7);
    assert!(matches!(&events[0], Event::Begin { id, .. } if id.commit == begin));
    assert_eq!(events[1..], [inserted(7)]);
    assert_eq!(log.row(8), [inserted(8)]);
    let events = log.write_blind(kind::XID, &[0; 8]).expect("a commit");
    assert_eq!(events, [Event::Commit { end: log.end() }]);
}

#[test]
fn a_file_may_outgrow_its_positions() {
    let offset = u64::from(u32::MAX) - 200;
    let mut log = Log::at(offset, Lsn(0));
    log.begin();
    for id in 0..9 {
        log.row(id);
    }
    let events = log.commit();
    assert!(log.at > 1 << 32);
    let end = log.end();
    assert_eq!(events, [Event::Commit { end }]);
    assert_eq!(Place::of(end).to_read(), Place::at(2, FIRST));
    let next = [&4_u64.to_le_bytes()[..], b"binlog.000002"].concat();
    log.write(kind::ROTATE, &next).expect("a rotation");
    assert_eq!(log.decoder.take_passed(), Some(Place::at(2, 4).lsn()));
}

#[test]
fn nothing_is_passed_in_the_middle_of_a_transaction() {
    let mut log = Log::at(400, Lsn(0));
    let beat = |log: &mut Log| {
        let end = log.at as u32;
        let events = log.event(kind::HEARTBEAT, b"binlog.000001", end, 0);
        assert_eq!(events.expect("a heartbeat"), []);
        log.decoder.take_passed()
    };
    assert_eq!(beat(&mut log), Some(log.end()));
    log.begin();
    assert_eq!(beat(&mut log), None);
    log.row(1);
    assert_eq!(beat(&mut log), None);
    log.commit();
    assert_eq!(beat(&mut log), Some(log.end()));
}

#[test]
fn transactions_of_others_are_passed_at_their_end() {
    let mut log = Log::at(400, Lsn(0));
    log.begin();
    let other = [&map()[..8], b"\x04shop\0\x05other\0", &[1, 200, 0, 1]].concat();
    log.write(kind::TABLE_MAP, &other).expect("a map");
    // Of a table that is not mapped nothing else is looked at.
    log.write(kind::WRITE_ROWS_V1, &[5, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 9])
        .expect("rows");
    assert_eq!(log.commit(), []);
    assert_eq!(log.decoder.take_passed(), Some(log.end()));
}

#[test]
fn what_is_not_known_stops_unless_it_may_be_ignored() {
    for kind in [0, 1, 20, 21, 22, 43, 99, 172, 200] {
        let mut log = Log::at(400, Lsn(0));
        log.begin();
        let error = log.write(kind, &[1, 2, 3]).expect_err("unknown");
        assert!(matches!(error, SourceError::Unknown { kind: k, .. } if k == kind));
        let mut log = Log::at(400, Lsn(0));
        let events = log.event(kind, &[1, 2, 3], 0, IGNORABLE);
        assert_eq!(events.expect("ignored"), []);
    }
}

#[test]
fn an_incident_stops_once() {
    let body = [&[1, 0, 4][..], b"lost"].concat();
    let mut log = Log::at(400, Lsn(0));
    let error = log.write(kind::INCIDENT, &body).expect_err("an incident");
    assert!(error.to_string().contains("(lost)"), "{error}");
    let mut log = Log::at(400, Lsn(u64::MAX));
    let events = log.write(kind::INCIDENT, &body).expect("a doubt");
    assert!(matches!(events[0], Event::Begin { .. }));
    assert!(is_doubt(&events[1]));
    assert_eq!(events[2..], [Event::Commit { end: log.end() }]);
}

#[test]
fn changes_that_are_taken_back_in_the_log_are_in_doubt() {
    let mut log = Log::at(400, Lsn(0));
    log.begin();
    log.query("SAVEPOINT `a`").expect("a savepoint");
    assert_eq!(log.query("ROLLBACK TO `a`").expect("nothing"), []);
    log.row(1);
    log.query("SAVEPOINT `b`").expect("a savepoint");
    assert_eq!(log.query("ROLLBACK TO `b`").expect("nothing"), []);
    log.row(2);
    let events = log.query("ROLLBACK TO `b`").expect("a doubt");
    assert!(events.len() == 1 && is_doubt(&events[0]));
    let events = log.query("ROLLBACK").expect("a doubt");
    assert!(is_doubt(&events[0]));
    assert_eq!(events[1..], [Event::Commit { end: log.end() }]);
}

#[test]
fn a_server_without_ids_begins_by_statement() {
    let mut log = Log::at(400, Lsn(0));
    let begin = log.end();
    assert_eq!(log.query("BEGIN").expect("a beginning"), []);
    let events = log.row(3);
    assert!(matches!(&events[0], Event::Begin { id, .. } if id.commit == begin));
    assert_eq!(
        log.query("COMMIT").expect("a commit"),
        [Event::Commit { end: log.end() }]
    );
    let events = log.query("TRUNCATE TABLE cart").expect("a truncate");
    assert_eq!(
        events[1..],
        [Event::Truncate(vec![0]), Event::Commit { end: log.end() }]
    );
}

#[test]
fn a_transaction_without_an_end_is_in_doubt() {
    let mut log = Log::at(400, Lsn(0));
    log.begin();
    log.row(1);
    let cut = log.end();
    let events = log.begin();
    assert!(is_doubt(&events[0]));
    // Its border lies before whatever comes next begins, or there.
    assert!(matches!(events[1], Event::Commit { end } if end >= cut && end <= log.end()));
    let events = log.row(2);
    assert!(matches!(&events[0], Event::Begin { id, .. } if id.commit == cut));
}

#[test]
fn the_name_of_a_file_that_the_server_makes_up_loses_its_checksum() {
    let mut log = Log::at(400, Lsn(0));
    let body = [&4_u64.to_le_bytes()[..], b"binlog.000002"].concat();
    let size = (19 + body.len() + 4) as u32;
    let mut bytes = vec![0, 0, 0, 0, kind::ROTATE, 1, 0, 0, 0];
    bytes.extend(size.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(ARTIFICIAL.to_le_bytes());
    bytes.extend(&body);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    log.decoder.feed(Bytes::from(bytes)).expect("a rotation");
    assert_eq!(log.decoder.take_passed(), Some(Place::at(2, 4).lsn()));
}
