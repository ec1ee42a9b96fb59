//! Two shops, a configuration, and the daemon between them.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio_postgres::Client;

use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::Shops;

/// What a session must have set for its texts to be comparable.
pub const PINNED: &str = "
    SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres';
    SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lc_monetary = 'C';
    SET xmloption = 'content'; SET array_nulls = on;";

pub struct Pipeline {
    pub shops: Shops,
    pub config: PathBuf,
    _folder: TempDir,
}

impl Pipeline {
    /// Loads both schemas. `mapping` is the configuration from `[cart]` on.
    pub async fn create(name: &str, source: &str, target: &str, mapping: &str) -> Self {
        let shops = Shops::create(name).await;
        for (client, sql, side) in [
            (&shops.source, source, "source"),
            (&shops.target, target, "target"),
        ] {
            client.batch_execute(PINNED).await.unwrap();
            require_extensions(client).await;
            run(client, sql, side).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cartage.toml");
        let text = format!(
            "name = \"{}\"\n[source]\nkind = \"postgres\"\nurl = \"{}\"\n\
             [target]\nkind = \"postgres\"\nurl = \"{}\"\n[apply]\nlanes = 2\n{mapping}",
            name.replace('_', "-"),
            shops.source_url,
            shops.target_url
        );
        fs::write(&config, text).unwrap();
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    /// `cartage setup`, and the daemon.
    pub fn start(&self) -> Daemon {
        command(&self.config, &["setup", "--yes"]);
        Daemon::start(&self.config)
    }

    /// `cartage verify` finds nothing amiss, in `carts` carts.
    pub fn assert_verified(&self, carts: usize) {
        let report = command(&self.config, &["verify", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        for count in ["missing", "extra", "different", "held"] {
            assert_eq!(report[count].as_i64(), Some(0), "verify: {report:#}");
        }
        assert_eq!(report["carts_compared"].as_u64(), Some(carts as u64));
    }
}

/// Types of extensions are part of the matter: a server without them proves nothing of them.
async fn require_extensions(client: &Client) {
    let sql = "SELECT wanted.name FROM unnest(ARRAY['citext', 'hstore']) AS wanted (name)
               WHERE wanted.name NOT IN (SELECT name FROM pg_available_extensions)";
    let lacking: Vec<String> = client
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(
        lacking.is_empty(),
        "this server has no extensions {lacking:?}: install the contrib package that belongs to \
         it, or name the programs of a server that has them in CARTAGE_PG_BIN"
    );
}

pub async fn run(client: &Client, sql: &str, side: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        let error = error
            .as_db_error()
            .map_or(error.to_string(), |e| format!("{e} {:?}", e.detail()));
        let shown: String = sql.chars().take(300).collect();
        panic!("{side}: {error}\n{shown}");
    }
}

/// A name in SQL.
pub fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text in SQL.
pub fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
