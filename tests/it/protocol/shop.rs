//! Orders and their lines, moved as the scenario `basic` moves them.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::scenario::daemon::{Daemon, command};
use crate::scenario::play::filled;
use crate::scenario::servers::{Shops, rows};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/basic/");

/// Both shops, set up, and the configuration that joins them.
pub struct Shop {
    pub shops: Shops,
    pub config: PathBuf,
    _folder: TempDir,
}

impl Shop {
    /// Loads both shops and runs `cartage setup`.
    pub async fn open(name: &str) -> Self {
        let shops = Shops::create(name).await;
        shops
            .source
            .batch_execute(&text("source.sql"))
            .await
            .unwrap();
        shops
            .target
            .batch_execute(&text("target.sql"))
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cartage.toml");
        let urls = [&*shops.source_url, &*shops.target_url];
        let filled = filled(name, &text("cartage.toml"), urls);
        fs::write(&config, filled).unwrap();
        command(&config, &["setup", "--yes"]);
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    /// Both oracles find the same rows.
    pub async fn assert_equal(&self, daemon: &Daemon) {
        let source = rows(&self.shops.source, &text("oracle_source.sql"), "source").await;
        let target = rows(&self.shops.target, &text("oracle_target.sql"), "target").await;
        assert!(!source.is_empty(), "the old shop is empty");
        assert_eq!(source, target, "the shops differ\n{}", daemon.log());
    }
}

fn text(file: &str) -> String {
    fs::read_to_string(format!("{FOLDER}{file}")).unwrap()
}
