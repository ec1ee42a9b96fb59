//! What is printed and read must not depend on what a database or a role happens to have set.

use cartage::config::Config;
use cartage::postgres::connect::connect;
use cartage::postgres::wire::ReplicationConnection;

use super::pipeline::Pipeline;

/// Settings that would change a value on its way, each with what a session must have instead.
const HOSTILE: &[(&str, &str, &str)] = &[
    ("TimeZone", "Asia/Kathmandu", "UTC"),
    ("DateStyle", "German, DMY", "ISO"),
    ("IntervalStyle", "sql_standard", "postgres"),
    ("extra_float_digits", "-15", "1"),
    ("bytea_output", "escape", "hex"),
    ("lc_monetary", "C.UTF-8", "C"),
    ("xmloption", "document", "content"),
    ("array_nulls", "off", "on"),
    ("quote_all_identifiers", "on", "off"),
    ("client_encoding", "LATIN1", "UTF8"),
];

/// Sets all of them for whoever comes into the database; half of them for the role, which wins.
pub fn hostile() -> String {
    let statements: String = HOSTILE
        .iter()
        .enumerate()
        .map(|(n, (setting, value, _))| {
            let whom = match n % 2 {
                0 => "DATABASE %I",
                _ => "ROLE CURRENT_USER IN DATABASE %I",
            };
            format!(
                "EXECUTE format('ALTER {whom} SET {setting} = %L', current_database(), '{value}');"
            )
        })
        .collect();
    format!("DO $$ BEGIN {statements} END $$;")
}

#[tokio::test]
async fn sessions_set_what_changes_a_value() {
    let table = "CREATE TABLE goods (id integer PRIMARY KEY);";
    let schema = format!("{table} {}", hostile());
    let mapping = "[cart]\ntable = \"goods\"\n[[into]]\ntable = \"goods\"\nper = \"goods\"\n\
                   role = \"header\"\n[into.columns]\nid = { key = \"id\" }\n";
    let pipeline = Pipeline::create("types_sessions", &schema, &schema, mapping).await;
    let config = Config::load(&pipeline.config).unwrap();
    let mut log = ReplicationConnection::connect(&config.source, "log")
        .await
        .unwrap();
    for (setting, hostile, expected) in HOSTILE {
        let ask = format!("SHOW {setting}");
        let bare = crate::scenario::servers::connect(&pipeline.shops.source_url).await;
        let bare = bare.query_one(&ask, &[]).await.unwrap();
        // The driver of the tests says what its encoding is.
        if *setting != "client_encoding" {
            assert_eq!(bare.get::<_, &str>(0), *hostile, "{setting} is not hostile");
        }
        let read = log.simple_query(&ask).await.unwrap();
        // The order of day and month does not matter to the ISO style.
        let style = |text: &str| text.split(',').next().map(str::to_owned);
        let read = read[0][0].as_deref().and_then(style);
        assert_eq!(read.as_deref(), Some(*expected), "{setting} of the log");
        for (endpoint, side) in [(&config.source, "source"), (&config.target, "target")] {
            let client = connect(endpoint, "test").await.unwrap();
            let row = client.query_one(&ask, &[]).await.unwrap();
            let read = style(row.get(0));
            assert_eq!(read.as_deref(), Some(*expected), "{setting} of the {side}");
        }
    }
}
