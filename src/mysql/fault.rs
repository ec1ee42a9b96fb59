//! What an error of MySQL or MariaDB means for the work at hand.

use std::error::Error as _;
use std::io;

use mysql_async::{DriverError, Error, IoError, ServerError};

pub use crate::fault::Fault;

const FIT: &str =
    "A value does not fit its column; correct the mapping or the row, then retry the cart.";
const CONSTRAINT: &str = "A constraint of the table refuses the row; correct the mapping or the row, then retry the cart.";
const PRIVILEGE: &str =
    "The user lacks a privilege: cartage check names the GRANT; run it, then start again.";
const SCHEMA: &str =
    "A table or column is not as it was; compare the schema with the mapping, then start again.";
const BROKEN: &str = "The connection broke.";
const NO_ROOM: &str = "That server has no connection left for us; end sessions that nobody needs, or raise the limit.";
const DISK: &str = "That server's disk is full; free some space on it.";
const MEMORY: &str = "That server is out of memory; give it more, or fewer sessions.";
const KILLED: &str = "The server ended the session.";
const TIME: &str = "The statement was cancelled or timed out.";
const READ_ONLY: &str = "The database takes no writes: read_only is on, or it is a replica.";
const UNKNOWN: &str = "This error is not one that passes; look at the server's log.";

/// Error numbers (MySQL's and MariaDB's error reference; below 1900 they agree), with a sentence
/// for the operator. What is not listed is judged by the class of its SQLSTATE.
const TABLE: &[(&[u16], Fault, &str)] = &[
    (&[1205, 3572], Fault::Retry, "A lock was not free in time."),
    (&[1213, 1614, 3101], Fault::Retry, "A deadlock was broken."),
    (&[1020], Fault::Retry, "Another transaction came first."),
    (&[1412], Fault::Retry, "A table was altered meanwhile."),
    (&[1040, 1135, 1203, 1226], Fault::Retry, NO_ROOM),
    (&[1021, 1114], Fault::Retry, DISK),
    (&[1037, 1041], Fault::Retry, MEMORY),
    (
        &[1047, 1053, 1077, 1079, 3168],
        Fault::Retry,
        "The server is starting, stopping or recovering.",
    ),
    (
        &[1042, 1043, 1156, 1157, 1158, 1159, 1160, 1161, 1184],
        Fault::Retry,
        BROKEN,
    ),
    (&[1927, 3169], Fault::Retry, KILLED),
    (&[4031], Fault::Retry, "The session idled for too long."),
    (&[1028, 1317, 1613, 1969, 3024], Fault::Retry, TIME),
    (&[1206], Fault::Retry, "That server has no room for locks."),
    (&[1223, 1290, 1836], Fault::Retry, READ_ONLY),
    (
        &[1044, 1142, 1143, 1227, 1370, 3546],
        Fault::Stop,
        PRIVILEGE,
    ),
    (
        &[1045, 1698],
        Fault::Stop,
        "The server does not let this user in; correct the endpoint's user and password.",
    ),
    (
        &[1049],
        Fault::Stop,
        "The database does not exist; correct the endpoint's URL.",
    ),
    (
        &[1130],
        Fault::Stop,
        "The server lets nobody in from our address; look at the host part of its users.",
    ),
    (
        &[1129],
        Fault::Stop,
        "The server has shut us out after too many broken connections: FLUSH HOSTS there.",
    ),
    (
        &[1153],
        Fault::Stop,
        "A value is longer than a packet may be; raise max_allowed_packet on that server.",
    ),
    (
        &[1820, 1862],
        Fault::Stop,
        "The user's password has expired; give it a new one: ALTER USER.",
    ),
    (
        &[3118],
        Fault::Stop,
        "The user is locked: ALTER USER … ACCOUNT UNLOCK.",
    ),
    (
        &[3159],
        Fault::Stop,
        "The server wants encrypted connections; set `tls.mode = \"require\"`.",
    ),
    (&[1051, 1054, 1109, 1146], Fault::Stop, SCHEMA),
    (
        &[
            1048, 1216, 1217, 1364, 1451, 1452, 1526, 1557, 1586, 1748, 3819, 4025,
        ],
        Fault::Row,
        CONSTRAINT,
    ),
    (&[1062, 1169], Fault::Row, CONSTRAINT),
    (
        &[
            1264, 1265, 1292, 1366, 1367, 1406, 1411, 1416, 1425, 1441, 1525, 1690, 3140, 3141,
            3156,
        ],
        Fault::Row,
        FIT,
    ),
    (
        &[1644],
        Fault::Row,
        "A trigger of the table refuses the row; correct the mapping or the row, then retry the cart.",
    ),
];

/// By the class of a SQLSTATE, where the number says nothing.
const CLASSES: &[(&str, Fault, &str)] = &[
    ("08", Fault::Retry, BROKEN),
    ("22", Fault::Row, FIT),
    ("23", Fault::Row, CONSTRAINT),
    ("40", Fault::Retry, "Another transaction came first."),
    ("45", Fault::Row, CONSTRAINT),
];

/// What the server's own error means, and what to tell the operator.
pub fn of_server(error: &ServerError) -> (Fault, &'static str) {
    let known = TABLE
        .iter()
        .find(|(codes, ..)| codes.contains(&error.code))
        .map(|(_, fault, advice)| (*fault, *advice));
    // One number for every option that forbids something; only one of them is switched off again.
    let other_option = error.code == 1290 && !error.message.contains("read");
    match known {
        Some(_) if other_option => (Fault::Stop, UNKNOWN),
        Some(known) => known,
        None => CLASSES
            .iter()
            .find(|(class, ..)| error.state.starts_with(class))
            .map_or((Fault::Stop, UNKNOWN), |(_, fault, advice)| {
                (*fault, advice)
            }),
    }
}

pub fn of(error: &Error) -> Fault {
    explain(error).0
}

/// What an error of a session means, with a sentence for the operator.
pub fn explain(error: &Error) -> (Fault, &'static str) {
    match error {
        Error::Server(error) => of_server(error),
        Error::Io(IoError::Io(error)) => match error.kind() {
            // A failed handshake is wrapped as an I/O error too; it does not pass.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => (Fault::Stop, UNKNOWN),
            _ => (Fault::Retry, BROKEN),
        },
        Error::Driver(DriverError::ConnectionClosed | DriverError::PacketOutOfOrder) => {
            (Fault::Retry, BROKEN)
        }
        _ => (Fault::Stop, UNKNOWN),
    }
}

/// The same for any error, looking through its wrappers; none where no error of MySQL is inside.
pub fn inside(error: &(dyn std::error::Error + 'static)) -> Option<(Fault, &'static str)> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<Error>() {
            return Some(explain(error));
        }
        next = error.source();
    }
    None
}

/// What went wrong. The server's own words are left out where they are about values, or repeat the
/// statement: they may hold one.
pub fn describe(error: &Error) -> String {
    match error {
        Error::Server(server) => {
            let (fault, advice) = of_server(server);
            let place = format!("error {} ({})", server.code, server.state);
            match fault {
                Fault::Row => match column(&server.message) {
                    Some(column) => format!("{place}, column {column}: {advice}"),
                    None => format!("{place}: {advice}"),
                },
                _ if matches!(server.code, 1064 | 1149) => {
                    format!("{place}: the server does not understand our statement")
                }
                Fault::Retry => {
                    let advice = advice.trim_end_matches('.');
                    format!("{}: {advice}", server.message)
                }
                Fault::Stop if advice == UNKNOWN => format!("{place}: {}", server.message),
                Fault::Stop => format!("{}. {advice}", server.message),
            }
        }
        // These hold the value, the row or the packet.
        Error::Driver(
            DriverError::FromValue { .. }
            | DriverError::FromRow { .. }
            | DriverError::UnexpectedPacket { .. },
        ) => "the server's answer is not of the expected form".into(),
        Error::Driver(error) => error.to_string(),
        Error::Io(error) => error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string),
        error => error.to_string(),
    }
}

/// The column that the server says it is about. What stands before may be a value, and may look like a
/// name; the last one is the server's.
fn column(message: &str) -> Option<&str> {
    const LONGEST: usize = 64;
    let name = match message.strip_suffix("' cannot be null") {
        Some(rest) => rest.strip_prefix("Column '")?,
        None => {
            let (_, rest) = message.rsplit_once(" for column ")?;
            let (name, row) = rest.rsplit_once(" at row ")?;
            row.parse::<u64>().ok()?;
            // MariaDB sometimes has the table's name before it.
            let (_, name) = name.rsplit_once("`.`").unwrap_or(("", name));
            name.trim_matches(['\'', '`'])
        }
    };
    (1..=LONGEST)
        .contains(&name.chars().count())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, state: &str, message: &str) -> ServerError {
        ServerError {
            code,
            state: state.into(),
            message: message.into(),
        }
    }

    #[test]
    fn each_number_has_its_owner() {
        for (fault, codes) in [
            (
                Fault::Retry,
                &[
                    1205, 1213, 1412, 1040, 1203, 1053, 1927, 4031, 1836, 1317, 1969, 3024,
                ][..],
            ),
            (
                Fault::Row,
                &[1062, 1048, 1264, 1366, 1406, 1451, 1452, 1644, 3819, 4025],
            ),
            (
                Fault::Stop,
                &[
                    1044, 1045, 1049, 1064, 1129, 1130, 1142, 1146, 1054, 1153, 1236, 4052, 9999,
                ],
            ),
        ] {
            for code in codes {
                assert_eq!(of_server(&server(*code, "HY000", "")).0, fault, "{code}");
            }
        }
        let option = |text| of_server(&server(1290, "HY000", text)).0;
        assert_eq!(option("running with the --read-only option"), Fault::Retry);
        assert_eq!(option("running with --secure-file-priv"), Fault::Stop);
        assert_eq!(of_server(&server(9999, "40001", "")).0, Fault::Retry);
    }

    #[test]
    fn no_number_is_listed_twice() {
        let mut codes: Vec<u16> = TABLE
            .iter()
            .flat_map(|(codes, ..)| *codes)
            .copied()
            .collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn the_column_is_told() {
        for (message, name) in [
            ("Out of range value for column 'qty' at row 1", Some("qty")),
            (
                "Incorrect decimal value: 'NaN' for column `shop`.`cart`.`total` at row 12",
                Some("total"),
            ),
            (
                "Incorrect string value: 'x for column `secret` at row 1' for column 'note' at row 1",
                Some("note"),
            ),
            ("Column 'email' cannot be null", Some("email")),
            (
                "Duplicate entry 'x for column y at row 1' for key 'email'",
                None,
            ),
            ("Duplicate entry 'x' for key 'for column y at row 1'", None),
            ("CONSTRAINT `few` failed for `shop`.`cart`", None),
        ] {
            assert_eq!(column(message), name, "{message}");
        }
    }

    #[test]
    fn no_value_is_told() {
        for (code, state) in [(1062, "23000"), (1366, "HY000"), (1064, "42000")] {
            let error = Error::Server(server(code, state, "near 'sesame'"));
            assert!(!describe(&error).contains("sesame"), "{code}");
        }
        let packet = DriverError::UnexpectedPacket {
            payload: b"sesame".to_vec(),
        };
        assert!(!describe(&Error::Driver(packet)).contains("sesame"));
    }
}
