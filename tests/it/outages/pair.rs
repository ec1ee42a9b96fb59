//! Two servers of a test's own, with the shops of the scenario `basic`, and the daemon between them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cartage::demo::cluster::{Cluster, Options};
use tempfile::TempDir;

use crate::scenario::daemon::{Daemon, command};
use crate::scenario::play::filled;
use crate::scenario::servers::{Shops, number, rows};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/basic/");
const DATABASE: &str = "shop";
const DEADLINE: Duration = Duration::from_secs(40);

pub struct Pair {
    pub source: Cluster,
    pub target: Cluster,
    pub folder: TempDir,
}

impl Pair {
    /// Loads both shops. Nothing of cartage is there yet.
    pub async fn load(source: Options, target: Options) -> Self {
        let (source, target) = tokio::join!(Cluster::start(source), Cluster::start(target));
        let pair = Self {
            source: source.unwrap(),
            target: target.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        for (cluster, file) in [(&pair.source, "source.sql"), (&pair.target, "target.sql")] {
            let admin = cluster.client("postgres").await.unwrap();
            let create = format!("CREATE DATABASE {DATABASE}");
            admin.batch_execute(&create).await.unwrap();
            let shop = cluster.client(DATABASE).await.unwrap();
            shop.batch_execute(&text(file)).await.unwrap();
        }
        pair
    }

    /// Loads both shops and runs `cartage setup`.
    pub async fn open(source: Options, target: Options) -> Self {
        let pair = Self::load(source, target).await;
        pair.set_up();
        pair
    }

    pub fn set_up(&self) {
        let (source, target) = (self.source.url(DATABASE), self.target.url(DATABASE));
        self.configure(
            &format!("url = \"{source}\""),
            &format!("url = \"{target}\""),
        );
        command(&self.config(), &["setup", "--yes"]);
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("cartage.toml")
    }

    /// Writes the configuration with these lines for the two ends.
    pub fn configure(&self, source: &str, target: &str) {
        let text = text("cartage.toml")
            .replace("url = \"{{source_url}}\"", source)
            .replace("url = \"{{target_url}}\"", target);
        let urls = [self.source.url(DATABASE), self.target.url(DATABASE)];
        let filled = filled("outage", &text, urls.each_ref().map(String::as_str));
        fs::write(self.config(), filled).unwrap();
    }

    /// New sessions on both sides, past what TCP asks for.
    pub async fn shops(&self) -> Shops {
        Shops {
            source_url: self.source.url(DATABASE),
            target_url: self.target.url(DATABASE),
            source: self.source.client(DATABASE).await.unwrap(),
            target: self.target.client(DATABASE).await.unwrap(),
        }
    }
}

/// Both oracles find the same rows, no cart is held, and nothing was in anybody's way.
pub async fn assert_equal(shops: &Shops, daemon: &Daemon) {
    let source = rows(&shops.source, &text("oracle_source.sql"), "source").await;
    let target = rows(&shops.target, &text("oracle_target.sql"), "target").await;
    assert!(!source.is_empty(), "the old shop is empty");
    assert_eq!(source, target, "the shops differ\n{}", daemon.log());
    let doubts =
        "SELECT (SELECT count(*) FROM cartage.held) + (SELECT count(*) FROM cartage.conflict)";
    assert_eq!(number(&shops.target, doubts).await, 0, "{}", daemon.log());
}

/// Waits until the daemon, which must go on running, has logged this after its first `from` bytes.
pub async fn logged(daemon: &mut Daemon, text: &str, from: usize) {
    let deadline = Instant::now() + DEADLINE;
    while !daemon.log()[from..].contains(text) {
        assert!(
            daemon.alive(),
            "the daemon ended while this was awaited of it: {text}\n{}",
            daemon.log()
        );
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for the daemon to log: {text}\n{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the daemon has given up, as it must: it needs a human, and says why.
pub async fn gave_up(daemon: &mut Daemon) -> String {
    let deadline = Instant::now() + DEADLINE;
    while daemon.alive() {
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for the daemon to give up\n{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(daemon.exit_code(), Some(4), "{}", daemon.log());
    let log = daemon.log();
    let last = log
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "));
    last.unwrap_or_else(|| panic!("no reason\n{log}"))
        .to_string()
}

fn text(file: &str) -> String {
    fs::read_to_string(format!("{FOLDER}{file}")).unwrap()
}
