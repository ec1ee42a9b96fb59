//! Events that lie about themselves, and how numbers and columns are written.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::payload::Payload;
use super::reader::Reader;
use super::rows::{Action, Rows, Value};
use super::table_map::{Head, types};
use super::*;
use crate::source::mysql::SourceError;

fn event(kind: u8, body: &[u8]) -> Event {
    let header = Header {
        time: 0,
        kind,
        server: 1,
        size: 0,
        end: 0,
        flags: 0,
    };
    Event {
        header,
        body: Bytes::copy_from_slice(body),
    }
}

/// The event's bytes, without a checksum.
fn written(kind: u8, body: &[u8]) -> Vec<u8> {
    let size = (HEADER + body.len()) as u32;
    let mut bytes = vec![0, 0, 0, 0, kind, 1, 0, 0, 0];
    bytes.extend(size.to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend(body);
    bytes
}

fn payload(size: u64, unpacked: u64, bytes: &[u8]) -> Result<Payload, SourceError> {
    let mut body = vec![1, 9, 0xfe];
    body.extend(size.to_le_bytes());
    body.extend([2, 1, 0, 3, 9, 0xfe]);
    body.extend(unpacked.to_le_bytes());
    body.push(0);
    body.extend(bytes);
    Payload::read(&Bytes::from(body))
}

#[test]
fn a_payload_gives_its_events_one_by_one() {
    let events = [
        written(kind::XID, &[0; 8]),
        written(kind::QUERY, &[7; 100_000]),
    ];
    let packed = zstd::encode_all(&events.concat()[..], 3).expect("packed");
    let all = (HEADER + 8 + HEADER + 100_000) as u64;
    let mut read = payload(packed.len() as u64, all, &packed).expect("a payload");
    let kinds: Vec<u8> = std::iter::from_fn(|| read.next_event().expect("events"))
        .map(|event| event.header.kind)
        .collect();
    assert_eq!(kinds, [kind::XID, kind::QUERY]);

    // Sizes that are not true take no memory, and lose nothing in silence.
    let lies = [(HEADER + 8) as u64, all - 1, all + 1, 1 << 45];
    for lie in lies {
        let mut read = payload(packed.len() as u64, lie, &packed).expect("a payload");
        let error = std::iter::from_fn(|| read.next_event().transpose()).find_map(Result::err);
        assert!(error.is_some(), "{lie}");
    }
    assert!(payload(packed.len() as u64 + 1, all, &packed).is_err());
    let mut broken = payload(9, all, &[9; 9]).expect("a payload");
    assert!(broken.next_event().is_err());
}

#[test]
fn a_compressed_event_is_what_it_was() {
    use std::io::Write as _;
    let text = b"TRUNCATE TABLE cart".repeat(20);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(&text).expect("packed");
    let packed = zlib.finish().expect("packed");
    let head = [
        1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 2, 0, 99, 99, b's', b'h', b'o', b'p', 0,
    ];
    let body = |length: &[u8]| {
        let how = 0x80 | length.len() as u8;
        [&head[..], &[how], length, &packed].concat()
    };
    let length = (text.len() as u16).to_be_bytes();
    let read = |body: &[u8]| compressed::unpacked(event(kind::MARIADB_QUERY_COMPRESSED, body));
    let unpacked = read(&body(&length)).expect("unpacked");
    assert_eq!(unpacked.header.kind, kind::QUERY);
    let query = query::Query::read(&unpacked.body, false).expect("a query");
    assert_eq!(
        (query.database.as_str(), query.text.as_bytes()),
        ("shop", &text[..])
    );
    for lie in [&[0, 5][..], &[0xff; 7], &[0, 0, 0x01, 0x00, 0x00]] {
        assert!(read(&body(lie)).is_err());
    }
}

#[test]
fn a_checksum_that_is_wrong_is_noticed() {
    let mut bytes = written(kind::XID, &[0; 8 + 4]);
    let end = bytes.len() - 4;
    let sum = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&sum);
    let read = |bytes: &[u8]| Event::read(Bytes::copy_from_slice(bytes), Checksum::Crc32);
    assert_eq!(read(&bytes).expect("an event").body.len(), 8);
    bytes[HEADER] ^= 1;
    assert!(read(&bytes).is_err());
}

#[test]
fn numbers_of_tagged_ids_say_their_length_first() {
    // 65535 in three bytes, 3 in one (MySQL's "serialization library", variable-length integers).
    for (bytes, number) in [
        (&[0b0000_0110][..], 3),
        (&[0b1111_1011, 0b1111_1111, 0b0000_0111], 65_535),
        (&[0xff, 1, 0, 0, 0, 0, 0, 0, 0x80], 1 | 1 << 63),
    ] {
        let mut r = Reader(bytes);
        assert_eq!(gtid::variable(&mut r).expect("a number"), number);
        assert!(r.0.is_empty());
    }
    let all = [0, 1, 2, 3, 4].map(gtid::zigzag);
    assert_eq!(all, [0, -1, 1, -2, 2]);
}

/// As a MariaDB server wrote it for `CREATE TABLE t (a INT UNSIGNED, b VARCHAR(40) CHARACTER SET
/// utf8mb4, c DECIMAL(12,2), d ENUM('x','y'), e SMALLINT)` with `binlog_row_metadata = FULL`.
fn map() -> Bytes {
    let mut body = vec![18, 0, 0, 0, 0, 0, 1, 0];
    body.extend(b"\x04shop\0\x01t\0");
    body.extend([
        5,
        types::LONG,
        types::VARCHAR,
        types::NEWDECIMAL,
        types::STRING,
        types::SHORT,
    ]);
    body.extend([6, 160, 0, 12, 2, types::ENUM, 1, 0b11111]);
    // Signs of a, c and e; names.
    body.extend([1, 1, 0b1000_0000]);
    body.extend([4, 10]);
    body.extend(b"\x01a\x01b\x01c\x01d\x01e");
    Bytes::from(body)
}

#[test]
fn a_table_map_says_how_rows_are_written() {
    let map = Head::read(&map())
        .expect("a head")
        .columns()
        .expect("a map");
    assert_eq!(
        (map.schema.as_str(), map.table.as_str(), map.id),
        ("shop", "t", 18)
    );
    let names = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
    assert_eq!(map.names, Some(names));
    let unsigned = vec![true, false, false, false, false];
    assert_eq!(map.unsigned, Some(unsigned));
    assert_eq!(map.columns[3].ty, types::ENUM);

    // b is not logged before, and c is null after.
    let mut body = vec![18, 0, 0, 0, 0, 0, 1, 0, 5, 0b11101, 0b11111];
    body.extend([0, 1, 0, 0, 0, 0x80, 0, 0, 0, 1, 50, 1, 9, 0]);
    body.extend([0b00100, 2, 0, 0, 0, 2, b'h', b'i', 2, 8, 0]);
    let mut rows = Rows::read(kind::UPDATE_ROWS_V1, &Bytes::from(body)).expect("rows");
    assert_eq!(rows.action, Action::Update);
    let row = rows.next(&map.columns).expect("a row").expect("a row");
    let before = [
        Value::Here(&[1, 0, 0, 0]),
        Value::Absent,
        Value::Here(&[0x80, 0, 0, 0, 1, 50]),
        Value::Here(&[1]),
        Value::Here(&[9, 0]),
    ];
    let after = [
        Value::Here(&[2, 0, 0, 0]),
        Value::Here(b"\x02hi"),
        Value::Null,
        Value::Here(&[2]),
        Value::Here(&[8, 0]),
    ];
    assert_eq!((row.before, row.after), (before.to_vec(), after.to_vec()));
    assert!(rows.next(&map.columns).expect("the end").is_none());
}

proptest! {
    #[test]
    fn noise_never_panics(kind in any::<u8>(), body in vec(any::<u8>(), 0..120)) {
        let _ = Event::read(Bytes::from(written(kind, &body)), Checksum::Unknown);
        let body = Bytes::from(body);
        let _ = Format::read(&body);
        let _ = rotation(&body);
        let _ = query::Query::read(&body, false);
        let _ = query::Query::read(&body, true);
        let _ = gtid::mariadb(&event(kind, &body).header, &body);
        let _ = gtid::mysql(&event(kind, &body).header, &body, false);
        let _ = gtid::tagged(&event(kind, &body).header, &body);
        let _ = compressed::unpacked(event(kind, &body));
        if let Ok(mut payload) = Payload::read(&body) {
            while let Ok(Some(_)) = payload.next_event() {}
        }
        if let Ok(map) = Head::read(&body).and_then(Head::columns)
            && let Ok(mut rows) = Rows::read(kind::WRITE_ROWS, &body)
        {
            while let Ok(Some(_)) = rows.next(&map.columns) {}
        }
        let map = Head::read(&map()).and_then(Head::columns).expect("a map");
        for kind in [kind::WRITE_ROWS_V1, kind::UPDATE_ROWS, kind::PARTIAL_UPDATE_ROWS] {
            let body = [&[18, 0, 0, 0, 0, 0, 1, 0, 2, 0, 5, 0x1f][..], &body].concat();
            if let Ok(mut rows) = Rows::read(kind, &Bytes::from(body)) {
                while let Ok(Some(_)) = rows.next(&map.columns) {}
            }
        }
    }
}
