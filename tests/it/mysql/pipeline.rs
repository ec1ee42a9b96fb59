//! A whole pipeline from MySQL or MariaDB: set up, filled, followed, stopped and gone on with.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use cartage::check::{self, Finding, Verdict};
use cartage::cli::CommandError;
use cartage::cli::checkpoint::{self, CheckpointCommand};
use cartage::cli::setup::{self, SetupArgs};
use cartage::cli::teardown::{self, TeardownArgs};
use cartage::config::{Config, Secret};
use cartage::daemon;
use cartage::daemon::notify::Notifier;
use cartage::demo::cluster::{Cluster, Options};
use cartage::demo::mysql::{self, Programs, Server};
use cartage::mysql::connect::Flavor;
use cartage::source::change::Lsn;
use cartage::source::{Source, Spelling};
use cartage::target::session::Target;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_postgres::Client;

use super::{forgets, marks};

const OLD: &str = r"
    CREATE TABLE quote (
        id INT UNSIGNED PRIMARY KEY, active TINYINT(1) NOT NULL, email VARCHAR(60),
        total DECIMAL(12,4), updated TIMESTAMP(3) NULL
    ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
    CREATE TABLE quote_item (
        id INT UNSIGNED PRIMARY KEY, quote_id INT UNSIGNED NOT NULL, sku VARCHAR(40), qty INT,
        KEY (quote_id), FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
    ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
    CREATE TABLE other (id INT PRIMARY KEY);
    INSERT INTO quote VALUES (1, 1, 'ä@x', 3.5, '2026-01-02 03:04:05.250'), (2, 0, 'b', 0, NULL),
        (3, 1, NULL, 1, NULL);
    INSERT INTO quote_item VALUES (11, 1, 'rot', 2), (12, 1, 'grün', 1), (21, 2, 'x', 1);";

const NEW: &str = "
    CREATE TABLE cart (id bigint PRIMARY KEY, email text, total numeric, updated timestamptz,
                       version integer NOT NULL DEFAULT 1);
    CREATE TABLE line (id bigint PRIMARY KEY, cart_id bigint NOT NULL REFERENCES cart, sku text,
                       qty integer);";

pub(super) struct Pipeline<'a> {
    server: &'a Server,
    database: &'static str,
    pub config: Config,
    pub target: Client,
    cluster: Cluster,
}

pub(super) struct Daemon {
    stop: watch::Sender<bool>,
    _rates: watch::Sender<cartage::config::Rates>,
    pub thread: JoinHandle<Result<(), String>>,
}

impl Daemon {
    /// Why it ended by itself.
    pub async fn ended(self) -> String {
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        joined.unwrap().unwrap().unwrap_err()
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        joined.unwrap().unwrap().unwrap();
    }
}

/// A user who may do what the documentation says that he must be able to, and no more.
async fn user(server: &Server, database: &str) -> String {
    let user = format!("{database}_reader");
    let end = match server.programs().flavor {
        Flavor::MariaDb => "BINLOG MONITOR",
        Flavor::MySql => "REPLICATION CLIENT",
    };
    let made = format!(
        "CREATE USER {user}@'127.0.0.1';
         GRANT SELECT ON {database}.* TO {user}@'127.0.0.1';
         GRANT REPLICATION SLAVE, PROCESS, {end} ON *.* TO {user}@'127.0.0.1'"
    );
    server.run(&made).await.unwrap();
    if server.programs().flavor == Flavor::MySql {
        // Needed where transactions have no ids.
        let made = format!("GRANT {} ON *.* TO {user}@'127.0.0.1'", marks(server).await);
        server.run(&made).await.unwrap();
    }
    user
}

impl<'a> Pipeline<'a> {
    pub async fn open(server: &'a Server, database: &'static str) -> Self {
        let made = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
        server.run(&made).await.unwrap();
        server.run(&format!("USE {database}; {OLD}")).await.unwrap();
        let cluster = Cluster::start(Options::default()).await.unwrap();
        let admin = cluster.client("postgres").await.unwrap();
        admin.batch_execute("CREATE DATABASE new").await.unwrap();
        let target = cluster.client("new").await.unwrap();
        target.batch_execute(NEW).await.unwrap();
        let user = user(server, database).await;
        let url = format!("mysql://{user}@127.0.0.1:{}/{database}", server.port());
        let config = config(&url, &cluster.url("new"));
        Self {
            server,
            database,
            config,
            target,
            cluster,
        }
    }

    pub async fn setup(&self) {
        let done = setup::run(&self.config, SetupArgs { yes: true }).await;
        assert_eq!(done.unwrap(), ExitCode::SUCCESS);
    }

    pub fn run(&self) -> Daemon {
        let (stop, told) = watch::channel(false);
        let (rates, seen) = watch::channel(self.config.rates());
        let config = self.config.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let notifier = Arc::new(Notifier::default());
            let done = runtime.block_on(daemon::run(&config, told, seen, &notifier));
            done.map_err(|error| error.to_string())
        });
        Daemon {
            stop,
            _rates: rates,
            thread,
        }
    }

    pub async fn old(&self, sql: &str) {
        let sql = format!("USE {}; {sql}", self.database);
        self.server.run(&sql).await.unwrap();
    }

    /// How many carts the first run has read, once it is over.
    async fn carts_read(&self) -> i64 {
        let sql = "SELECT carts_done FROM cartage.refresh_run WHERE finished_at IS NOT NULL \
                   ORDER BY id LIMIT 1";
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(row) = self.target.query_opt(sql, &[]).await.unwrap() {
                return row.get(0);
            }
            assert!(Instant::now() < deadline, "the first run is not over");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where the checkpoint is.
    async fn position(&self) -> String {
        let sql = "SELECT p.publication_state::text, min(c.lsn)::text FROM cartage.pipeline p
                   JOIN cartage.checkpoint c ON c.pipeline = p.id GROUP BY p.id";
        let row = self.target.query_one(sql, &[]).await.unwrap();
        let state: Value = serde_json::from_str(row.get(0)).unwrap();
        let lsn: Lsn = row.get::<_, &str>(1).parse().unwrap();
        Spelling::of(Some(&state)).show(lsn)
    }

    async fn set(&self, position: String) -> Result<ExitCode, CommandError> {
        let command = CheckpointCommand::Set {
            position,
            yes: true,
        };
        checkpoint::run(&self.config, command).await
    }

    async fn is_left_alone_while_a_daemon_runs(&self) {
        let number = self.config.server_id().to_string();
        // MariaDB shows our own user no replicas, but that he reads the log.
        let who = match self.server.programs().flavor {
            Flavor::MariaDb => "of our user reads the source's log",
            Flavor::MySql => &number,
        };
        let set = self.set(self.position().await).await;
        let torn = teardown::run(&self.config, TeardownArgs { yes: true }).await;
        for refused in [set, torn] {
            let message = refused.unwrap_err().message;
            let named = message.contains("a daemon runs: ") && message.contains(who);
            assert!(named, "{message}");
        }
        let mut config = self.config.clone();
        config.source.url = Secret(self.server.url(self.database));
        let admin = Source::connect(&config.source, "test").await.unwrap();
        let busy = admin.traces(&config).await.unwrap().busy;
        assert!(
            busy.as_ref().is_some_and(|busy| busy.contains(&number)),
            "{busy:?}"
        );
        config.name = "other".into();
        assert_eq!(admin.traces(&config).await.unwrap().busy, None);
    }

    /// What `check` says of a source without transaction ids.
    async fn ids_finding(&self) -> Finding {
        let source = Source::connect(&self.config.source, "check").await.unwrap();
        let target = Target::connect(&self.config.target, "check").await.unwrap();
        let schemas = check::schemas(&self.config, &source, &target)
            .await
            .unwrap();
        let report = check::run(&self.config, &source, &target, &schemas).await;
        let mut findings = report.unwrap().findings.into_iter();
        findings
            .find(|finding| finding.check == "transaction ids")
            .unwrap()
    }

    /// Waits until the target's carts and lines are these.
    async fn comes_to(&self, carts: &[&str], daemon: &Daemon) {
        let sql = "
            SELECT concat_ws(' ', c.id, coalesce(c.email, '-'), c.total, c.updated AT TIME ZONE 'UTC',
                   (SELECT string_agg(concat_ws(':', l.id, l.sku, l.qty), ',' ORDER BY l.id)
                    FROM line l WHERE l.cart_id = c.id))
            FROM cart c ORDER BY c.id";
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let rows = self.target.query(sql, &[]).await.unwrap();
            let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            if found == carts {
                return;
            }
            assert!(!daemon.thread.is_finished(), "the daemon has ended");
            assert!(
                Instant::now() < deadline,
                "the carts are\n{found:#?}\nand not\n{carts:#?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn config(source: &str, target: &str) -> Config {
    let text = format!(
        r#"
        name = "shop"
        [source]
        kind = "mysql"
        url = "{source}"
        [target]
        kind = "postgres"
        url = "{target}"
        [cart]
        table = "quote"
        live = "active = 1"
        [cart.rows]
        quote_item = {{ cart = "quote_id" }}
        [[into]]
        table = "cart"
        per = "quote"
        role = "header"
        lock = "version"
        ended = "delete"
        [into.columns]
        id = {{ key = "id" }}
        email = "email"
        total = "total"
        updated = "updated"
        [[into]]
        table = "line"
        per = "quote_item"
        ended = "delete"
        [into.columns]
        id = {{ key = "id" }}
        cart_id = "quote_id"
        sku = "sku"
        qty = "qty"
        "#
    );
    match Config::parse(&text, Path::new("shop.toml")) {
        Ok(config) => config,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn carts_come_over_and_are_followed() {
    for programs in Programs::all().unwrap() {
        let options = mysql::Options::default().with_ids(programs.flavor);
        // Of its own, for its log is reset.
        let server = Server::start_of(programs, options).await.unwrap();
        come_over(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn carts_come_over_without_transaction_ids() {
    let Ok(programs) = Programs::of(Flavor::MySql) else {
        return;
    };
    let options = mysql::Options::default().setting("gtid_mode", "OFF");
    let server = Server::start_of(programs, options).await.unwrap();
    come_over(&server).await;

    // The one right more that this needs.
    let shop = Pipeline::open(&server, "unmarked").await;
    let user = "unmarked_reader@'127.0.0.1'";
    let marks = marks(&server).await;
    let sql = format!("REVOKE {marks} ON *.* FROM {user}");
    server.run(&sql).await.unwrap();
    let missing = shop.ids_finding().await;
    assert_eq!(missing.verdict, Verdict::Warn);
    let lacks = format!("has no {marks} of its own");
    assert!(missing.message.contains(&lacks), "{missing:?}");
    shop.setup().await;
    let refused = shop.run().ended().await;
    assert!(refused.contains("GRANT FLUSH_OPTIMIZER_COSTS"), "{refused}");
    server.run(&missing.sql.unwrap()).await.unwrap();
    assert_eq!(shop.ids_finding().await.verdict, Verdict::Pass);
    let daemon = shop.run();
    let one = "1 ä@x 3.5000 2026-01-02 03:04:05.25 11:rot:2,12:grün:1";
    shop.comes_to(&[one, "3 - 1.0000"], &daemon).await;
    daemon.stop().await;
}

async fn come_over(server: &Server) {
    let shop = Pipeline::open(server, "pipeline").await;
    shop.setup().await;
    let daemon = shop.run();
    let one = "1 ä@x 3.5000 2026-01-02 03:04:05.25 11:rot:2,12:grün:1";
    shop.comes_to(&[one, "3 - 1.0000"], &daemon).await;
    // The one that is not live was not even read.
    assert_eq!(shop.carts_read().await, 2);
    shop.is_left_alone_while_a_daemon_runs().await;

    shop.old(
        "INSERT INTO quote_item VALUES (31, 3, 'neu', 5);
         UPDATE quote_item SET qty = 9 WHERE id = 11; DELETE FROM quote_item WHERE id = 12;
         UPDATE quote SET active = 1 WHERE id = 2;
         INSERT INTO quote VALUES (4, 1, 'd', 0, NULL); INSERT INTO other VALUES (1)",
    )
    .await;
    let one = "1 ä@x 3.5000 2026-01-02 03:04:05.25 11:rot:9";
    let two = "2 b 0.0000 21:x:1";
    shop.comes_to(&[one, two, "3 - 1.0000 31:neu:5", "4 d 0.0000"], &daemon)
        .await;
    daemon.stop().await;

    // What happens meanwhile is in the log, a whole cart that goes with its lines too.
    shop.old("DELETE FROM quote WHERE id = 1; UPDATE quote SET email = 'z' WHERE id = 3")
        .await;
    let daemon = shop.run();
    let three = "3 z 1.0000 31:neu:5";
    shop.comes_to(&[two, three, "4 d 0.0000"], &daemon).await;

    // A table that is altered where the mapping does not look is read on.
    shop.old(
        "ALTER TABLE quote ADD COLUMN note TEXT FIRST;
         UPDATE quote SET note = 'n', email = 'y' WHERE id = 4",
    )
    .await;
    shop.comes_to(&[two, three, "4 y 0.0000"], &daemon).await;
    daemon.stop().await;

    // After a reset of the log the checkpoint speaks of another one.
    shop.old("UPDATE quote SET email = 'x' WHERE id = 4").await;
    server.run(forgets(server).await).await.unwrap();
    let refused = shop.run().ended().await;
    assert!(refused.contains("run: cartage setup"), "{refused}");
    shop.setup().await;
    let daemon = shop.run();
    shop.comes_to(&[two, three, "4 x 0.0000"], &daemon).await;
    daemon.stop().await;

    let moved = shop.set(shop.position().await).await;
    assert_eq!(moved.unwrap(), ExitCode::SUCCESS);
    let done = teardown::run(&shop.config, TeardownArgs { yes: true }).await;
    assert_eq!(done.unwrap(), ExitCode::SUCCESS);
    drop(shop.cluster);
}
