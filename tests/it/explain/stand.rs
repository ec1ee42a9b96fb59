//! Two shops with a daemon between them, and what `cartage explain` says of their carts.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cartage::config::Kind;
use serde_json::Value;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::{Scenario, Side};
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::Shops;

const PATIENCE: Duration = Duration::from_secs(60);

/// Files beside the configuration, which may name them.
pub const SECRETS: [(&str, &str); 2] = [
    ("password", "s3cret-of-ours"),
    ("ids", "the-key-of-the-ids-that-is-long-enough"),
];

pub struct Stand {
    pub shops: Shops,
    pub config: PathBuf,
    pub daemon: Option<Daemon>,
    scenario: Scenario,
    text: String,
    folder: tempfile::TempDir,
}

impl Stand {
    /// The shops of a scenario after the backfill.
    pub async fn open(
        pair: &str,
        scenario: &str,
        name: &str,
        alter: impl Fn(String) -> String,
    ) -> Self {
        let mut stand = Self::laid(pair, scenario, name, alter, &[]).await;
        stand.start();
        stand.backfilled().await;
        stand
    }

    /// The same before the daemon's first start; the statements make what the shops have besides.
    pub async fn laid(
        pair: &str,
        scenario: &str,
        name: &str,
        alter: impl Fn(String) -> String,
        besides: &[(Side, &str)],
    ) -> Self {
        let name = format!("explain_{name}_{pair}");
        let scenario = Scenario {
            name: name.clone(),
            ..Scenario::between(Pair::named(pair), scenario)
        };
        let shops = create(&scenario, &name).await;
        for (side, sql) in besides {
            shops.of(*side).session.run(sql).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        for (file, secret) in SECRETS {
            fs::write(folder.path().join(file), secret).unwrap();
        }
        let text = alter(scenario.config.clone());
        let config = write(&scenario, &text, &shops, folder.path());
        daemon::command(&config, &["setup", "--yes"]);
        Self {
            shops,
            config,
            daemon: None,
            scenario,
            text,
            folder,
        }
    }

    /// Writes the configuration anew, with something in it replaced.
    pub fn reconfigure(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "{}", self.text);
        self.text = self.text.replacen(from, to, 1);
        write(&self.scenario, &self.text, &self.shops, self.folder.path());
    }

    /// The same of the file as the shops' addresses stand in it.
    pub fn readdress(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&self.config, text.replace(from, to)).unwrap();
    }

    pub fn start(&mut self) {
        self.daemon = Some(Daemon::start(&self.config));
    }

    pub async fn rest(&mut self) {
        self.daemon.take().unwrap().stop().await;
    }

    pub async fn backfilled(&mut self) {
        let daemon = self.daemon.as_mut().unwrap();
        backfilled(daemon, &self.shops.target.session).await;
    }

    pub async fn old_shop(&self, sql: &str) {
        let done = self.shops.source.session.run(sql).await;
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    pub async fn new_shop(&self, sql: &str) {
        let sql = match self.shops.target.kind {
            Kind::Postgres => sql.to_owned(),
            Kind::Mysql => sql.replace("cartage.", "cartage_"),
        };
        let done = self.shops.target.session.run(&sql).await;
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    pub async fn settles(&mut self) {
        let goal = self.shops.source.end().await;
        let daemon = self.daemon.as_mut().unwrap();
        arrived(daemon, &self.shops.target.session, goal).await;
    }

    /// The exit code, and what was printed.
    pub fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self
            .command(env!("CARGO_BIN_EXE_cartage"))
            .args(arguments)
            .output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(!text.is_empty(), "cartage {arguments:?}: {log}");
        (output.status.code().unwrap(), text)
    }

    /// The checkpoint is moved to the end of the log, past all that no daemon has read.
    pub fn passes_by(&self) {
        let (_, status) = self.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status).unwrap();
        let end = status["source"]["position"].as_str().unwrap();
        let (code, said) = self.says(&["checkpoint", "set", end, "--yes"]);
        assert_eq!(code, 0, "{said}");
    }

    /// The old shop gives cart 15 a quantity that the new shop takes no more (`both_sides_write`).
    pub async fn refuses_cart_15(&mut self) {
        self.new_shop("ALTER TABLE cart_line ADD CONSTRAINT few CHECK (quantity < 1000)")
            .await;
        self.old_shop("UPDATE order_lines SET qty = 5000 WHERE id = 151")
            .await;
    }

    /// The exit code, and all that was said.
    pub fn says(&self, arguments: &[&str]) -> (i32, String) {
        let output = self
            .command(env!("CARGO_BIN_EXE_cartage"))
            .args(arguments)
            .output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.code().unwrap(), said)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("CARTAGE_CONFIG", &self.config)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Does what `explain` says is to be done next, in a shell, and answers how that ended.
    pub fn does_next(&self, document: &Value, more: &str) -> (i32, String) {
        let next = document["conclusion"]["next"].as_str().unwrap();
        let (name, arguments) = next.split_once(' ').unwrap();
        assert_eq!(name, "cartage", "{next}");
        let line = format!("exec {} {arguments} {more}", env!("CARGO_BIN_EXE_cartage"));
        let output = self.command("sh").args(["-c", &line]).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.code().unwrap(), said)
    }

    /// The same where it must do, once a daemon that was just started is there.
    #[track_caller]
    pub fn mends(&self, document: &Value, more: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (code, said) = self.does_next(document, more);
            if code == 0 {
                return;
            }
            let starts = said.contains("no daemon is there") && Instant::now() < deadline;
            assert!(starts, "{code}: {}\n{said}", document["conclusion"]);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn document(&self, cart: &str) -> (i32, Value) {
        let (code, text) = self.run(&["explain", cart, "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        (code, document["carts"][0].clone())
    }

    #[track_caller]
    pub fn concludes(&self, cart: &str, why: &str, code: i32) -> Value {
        let (was, document) = self.document(cart);
        let said = &document["conclusion"];
        assert_eq!(
            (said["why"].as_str(), was),
            (Some(why), code),
            "{document:#}"
        );
        document
    }

    /// The same, as soon as it is so.
    pub async fn comes_to(&self, cart: &str, why: &str, code: i32) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (was, document) = self.document(cart);
            if document["conclusion"]["why"] == why && was == code {
                return document;
            }
            assert!(
                Instant::now() < deadline,
                "waited for {why}, got {was}: {document:#}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What a human is told holds each of these.
    #[track_caller]
    pub fn tells(&self, cart: &str, code: i32, parts: &[&str]) -> String {
        let (was, text) = self.run(&["explain", cart]);
        assert_eq!(was, code, "{text}");
        for part in parts {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        text
    }
}

/// The text of the conclusion holds this.
#[track_caller]
pub fn says(document: &Value, part: &str) {
    let text = document["conclusion"]["text"].as_str().unwrap();
    assert!(text.contains(part), "no {part:?} in {text}");
}
