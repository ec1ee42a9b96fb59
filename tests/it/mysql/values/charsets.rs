//! What the log's bytes mean: each byte of each charset that cartage reads, as the server itself
//! converts it.

use cartage::mysql::charset::Charset;
use mysql_async::prelude::Queryable as _;

use super::{servers, session};

const SINGLE: &[&str] = &[
    "latin1", "latin2", "cp1250", "cp1251", "cp1257", "koi8r", "ascii",
];

#[tokio::test]
async fn each_byte_is_the_character_that_the_server_takes_it_for() {
    for server in servers() {
        let mut session = session(server, "charsets", "").await;
        let mut differ = Vec::new();
        for charset in SINGLE {
            for byte in 1..=255_u8 {
                let sql = format!("SELECT HEX(CONVERT(_{charset} X'{byte:02X}' USING utf8mb4))");
                let theirs: Option<String> = session.conn.query_first(&sql).await.unwrap();
                let theirs = theirs.unwrap_or_default();
                let ours = Charset::named(charset).decode(&[byte]);
                let hex: Option<String> = ours
                    .as_ref()
                    .map(|text| text.bytes().map(|b| format!("{b:02X}")).collect());
                let hex = hex.unwrap_or_default();
                if hex != theirs {
                    differ.push(format!(
                        "{charset} {byte:02x}: {hex} is {theirs} to the server"
                    ));
                }
            }
        }
        assert!(
            differ.is_empty(),
            "{:?}\n{}",
            session.server,
            differ.join("\n")
        );
    }
}
