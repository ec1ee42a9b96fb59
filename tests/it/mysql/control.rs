//! The control tables in MySQL and MariaDB, as the daemon's tasks and the commands ask them.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use cartage::cart::key::CartKey;
use cartage::cli::checkpoint::{self, CheckpointCommand};
use cartage::cli::ends;
use cartage::cli::held::{self, HeldCommand};
use cartage::cli::refresh::{self, RefreshArgs};
use cartage::cli::status::{self, StatusArgs};
use cartage::config::{Config, Endpoint};
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::fault::Fault;
use cartage::mysql::connect::Flavor;
use cartage::params;
use cartage::refresh::runs::{self, Kind, Run, Stage};
use cartage::source::change::Lsn;
use cartage::source::identity::Lineage;
use cartage::status::{Status, look};
use cartage::target::control::migrate::migrate;
use cartage::target::control::pipeline::{self, NewPipeline, PipelineRow};
use cartage::target::session::Target;
use cartage::target::words::Words;
use mysql_async::prelude::Queryable as _;
use tokio::task::JoinSet;

use super::{endpoint, servers};

const AT: Lsn = Lsn(0x16_B374_D848);

struct Shop {
    endpoint: Endpoint,
    target: Target,
}

impl Shop {
    async fn new(server: &Server, database: &str) -> Self {
        let made = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
        server.run(&made).await.unwrap();
        let endpoint = endpoint(server.url(database));
        migrate(&endpoint).await.unwrap();
        let target = Target::connect(&endpoint, "test").await.unwrap();
        let lineage = Lineage {
            system: "7".into(),
            timeline: None,
        };
        let new = NewPipeline {
            name: "shop",
            lineage: &lineage,
            slot: None,
            publication: None,
            ids_secret: None,
        };
        pipeline::create(&target, &new).await.unwrap();
        let shop = Self { endpoint, target };
        let id = shop.row().await.id;
        pipeline::create_checkpoint(&shop.target, id, AT)
            .await
            .unwrap();
        shop
    }

    async fn row(&self) -> PipelineRow {
        let row = pipeline::load(&self.target, "shop").await.unwrap();
        row.unwrap()
    }

    async fn execute(&self, sql: &str) {
        let words = Words::each("", sql);
        self.target.execute(words, params![]).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        let row = self.target.one(Words::each("", sql), params![]).await;
        row.unwrap().get(0).unwrap()
    }

    async fn active(&self) -> Option<Run> {
        let id = self.row().await.id;
        runs::active(&self.target, id).await.unwrap()
    }

    async fn look(&self) -> Status {
        let row = self.row().await;
        look(&self.target, Err("not asked"), &row).await.unwrap()
    }

    fn config(&self) -> Config {
        let text = r#"
            name = "shop"
            [source]
            kind = "postgres"
            url = "postgresql://127.0.0.1:1/old"
            [target]
            kind = "postgres"
            url = "postgresql://127.0.0.1:1/new"
            [cart]
            table = "orders"
            [[into]]
            table = "cart"
            per = "orders"
            role = "header"
            lock = "version"
            [into.columns]
            id = { key = "id" }
        "#;
        let mut config = Config::parse(text, Path::new("shop.toml")).unwrap();
        config.target = self.endpoint.clone();
        config
    }
}

#[tokio::test]
async fn a_walk_goes_on_where_it_was() {
    for server in servers() {
        let shop = Shop::new(server, "control_walks").await;
        let id = shop.row().await.id;
        let target = &shop.target;
        assert!(!runs::any_backfill(target, id).await.unwrap());
        runs::begin(target, id, Kind::All, AT).await.unwrap();
        let first = shop.active().await.unwrap();
        runs::set_total(target, first.id, Some(9)).await.unwrap();
        runs::advance(target, first.id, &CartKey::stored("É|7 "), 3, 40)
            .await
            .unwrap();
        for why in [Some("why"), Some("why"), None] {
            runs::waits(target, first.id, why).await.unwrap();
            let waiting = shop.look().await.walk.unwrap().waiting;
            assert_eq!(waiting.as_deref(), why);
        }
        let run = shop.active().await.unwrap();
        assert_eq!(run.cursor, Some(CartKey::stored("É|7 ")));
        assert_eq!(
            (run.stage, run.start, run.total),
            (Stage::Read, AT, Some(9))
        );
        let walk = shop.look().await.walk.unwrap();
        assert_eq!((walk.done, walk.rows, walk.total), (3, 40, Some(9)));
        assert!(!walk.finished);

        // Another one of its kind finishes it; one of another kind waits for its turn.
        runs::begin(target, id, Kind::Mapping, AT).await.unwrap();
        runs::begin(target, id, Kind::All, Lsn(u64::MAX - 1))
            .await
            .unwrap();
        let sweep = shop.active().await.unwrap();
        assert_eq!((sweep.kind, sweep.stage), (Kind::Mapping, Stage::Sweep));
        runs::next_stage(target, &sweep).await.unwrap();
        let run = shop.active().await.unwrap();
        assert_eq!((run.kind, run.start), (Kind::All, Lsn(u64::MAX - 1)));
        runs::set_start(target, run.id, AT).await.unwrap();
        runs::next_stage(target, &run).await.unwrap();
        let run = shop.active().await.unwrap();
        assert_eq!((run.stage, run.start), (Stage::Sweep, AT));
        assert_eq!(run.cursor, None);
        for (cart, state, mapping, refreshed) in [
            ("a", "mirror", 1, "NULL"),
            ("a ", "mirror", 2, "96000000000"),
            ("b", "handed_over", 1, "NULL"),
            ("c", "ended", 1, "98000000000"),
        ] {
            shop.execute(&format!(
                "INSERT INTO cartage_ledger (pipeline, cart, state, lsn, mapping, refreshed, image) \
                 VALUES ({id}, '{cart}', '{state}', 1, {mapping}, {refreshed}, '')"
            ))
            .await;
        }
        let swept = async |run: &Run| runs::sweep(target, id, run, 2, 10).await.unwrap();
        let keys = |keys: &[&str]| keys.iter().map(|k| CartKey::stored(k)).collect::<Vec<_>>();
        assert_eq!(swept(&run).await, keys(&["a", "a "]));
        assert_eq!(swept(&sweep).await, keys(&["a", "c"]));
        runs::next_stage(target, &run).await.unwrap();
        assert!(shop.active().await.is_none());
        assert!(runs::any_backfill(target, id).await.unwrap());
        assert!(shop.look().await.walk.unwrap().finished);
    }
}

/// A server that takes no writes for a while is one to look at all the more.
#[tokio::test]
async fn commands_that_only_look_ask_a_server_that_takes_no_writes() {
    for programs in Programs::all().unwrap() {
        let server = Server::start_of(programs, Options::default())
            .await
            .unwrap();
        let mut shop = Shop::new(&server, "control_read_only").await;
        let id = shop.row().await.id;
        shop.execute(&format!(
            "INSERT INTO cartage_held (pipeline, cart, reason, message, pending, base) \
             VALUES ({id}, '1', 'conflict', 'why', '', '[]')"
        ))
        .await;
        let user = "CREATE USER looker@'127.0.0.1'; GRANT ALL ON control_read_only.* TO looker@'127.0.0.1';
                    SET GLOBAL read_only = 1";
        server.run(user).await.unwrap();
        let url = server.url("control_read_only").replace("root", "looker");
        shop.endpoint = endpoint(url);
        let config = shop.config();
        let json = true;
        held::run(&config, HeldCommand::List { json })
            .await
            .unwrap();
        let cart = "1".to_owned();
        held::run(&config, HeldCommand::Show { cart, json })
            .await
            .unwrap();
        let args = StatusArgs {
            json,
            ..StatusArgs::default()
        };
        assert_eq!(status::run(&config, args).await.unwrap(), ExitCode::SUCCESS);

        // Who must write says so.
        let (carts, all) = (vec!["1".to_owned()], false);
        let retry = HeldCommand::Retry { carts, all, json };
        let refused = held::run(&config, retry).await.unwrap_err().message;
        assert!(
            refused.contains("The database takes no writes"),
            "{refused}"
        );
        let Err(refused) = Target::connect_to_write(&shop.endpoint, "setup").await else {
            panic!("it was opened to write");
        };
        assert!(
            refused.to_string().contains("SET GLOBAL read_only = 0"),
            "{refused}"
        );
        let Err(refused) = Target::watched(&shop.endpoint, "lane").await else {
            panic!("it was opened to write");
        };
        assert_eq!(refused.fault(), Fault::Retry);
    }
}

#[tokio::test]
async fn commands_read_and_write_them() {
    for server in servers() {
        let shop = Shop::new(server, "control_commands").await;
        let (id, config) = (shop.row().await.id, shop.config());
        assert!(!ends::daemon_works(&shop.target, id).await.unwrap());
        shop.execute("UPDATE cartage_pipeline SET phase = 'following'")
            .await;
        assert!(ends::daemon_works(&shop.target, id).await.unwrap());
        shop.execute("UPDATE cartage_checkpoint SET updated_at = now() - INTERVAL 11 SECOND")
            .await;
        assert!(!ends::daemon_works(&shop.target, id).await.unwrap());
        shop.execute(
            "UPDATE cartage_checkpoint SET rows_applied = 5, mirror = 3, merged = -1, \
                    commit_time = now(6) - INTERVAL 90 SECOND",
        )
        .await;
        let status = shop.look().await;
        assert_eq!(status.applied.position, Some(AT.0));
        assert_eq!((status.rows_applied, status.carts.mirrored), (5, 3));
        assert_eq!(status.carts.merged, -1);
        let age = |age: Option<f64>, least: f64| {
            age.is_some_and(|age| (least..least + 30.0).contains(&age))
        };
        assert!(age(status.applied.commit_age, 90.0), "{status:?}");
        assert!(age(status.applied.quiet_seconds, 11.0), "{status:?}");

        for (cart, unit) in [("1", "NULL"), ("2", "'u'"), ("3", "'u'"), ("4", "'v'")] {
            shop.execute(&format!(
                "INSERT INTO cartage_held (pipeline, cart, unit, reason, message, pending, base) \
                 VALUES ({id}, '{cart}', {unit}, 'conflict', 'why', '', '[]')"
            ))
            .await;
        }
        held::run(&config, HeldCommand::List { json: true })
            .await
            .unwrap();
        let (cart, json) = ("3".to_owned(), false);
        held::run(&config, HeldCommand::Show { cart, json })
            .await
            .unwrap();
        let due = "SELECT CAST(coalesce(sum(cart * (retry_at <= now(6))), 0) AS signed) \
                   FROM cartage_held";
        assert_eq!(shop.number(due).await, 0);
        let retry = |carts: &[&str]| HeldCommand::Retry {
            carts: carts.iter().map(|c| c.to_string()).collect(),
            all: carts.is_empty(),
            json: true,
        };
        held::run(&config, retry(&["1", "3"])).await.unwrap();
        assert_eq!(shop.number(due).await, 1 + 2 + 3);
        held::run(&config, retry(&[])).await.unwrap();
        assert_eq!(shop.number(due).await, 1 + 2 + 3 + 4);

        let args = RefreshArgs {
            all: true,
            ..RefreshArgs::default()
        };
        refresh::run(&config, args).await.unwrap();
        let run = shop.active().await.unwrap();
        assert_eq!((run.kind, run.start), (Kind::All, AT));
        assert_eq!(shop.row().await.phase, "backfilling");
        checkpoint::run(&config, CheckpointCommand::Show { json: true })
            .await
            .unwrap();
        checkpoint::run(&config, CheckpointCommand::Export)
            .await
            .unwrap();
    }
}

/// Lanes are told by their user and their database; what they wait for, by what that user may see.
#[tokio::test]
async fn a_session_that_waits_for_a_lock_is_seen() {
    for server in servers() {
        let shop = Shop::new(server, "control_locks").await;
        let made = "
            CREATE TABLE control_locks.t (id int PRIMARY KEY) ENGINE = InnoDB;
            INSERT INTO control_locks.t VALUES (1);
            CREATE USER IF NOT EXISTS lane@'127.0.0.1';
            GRANT ALL ON control_locks.* TO lane@'127.0.0.1'";
        server.run(made).await.unwrap();
        assert_eq!(shop.look().await.blocked, None);
        let row = shop.row().await;
        let mut other = server.conn(Some("control_locks")).await.unwrap();
        let of_rows = "SELECT * FROM t FOR UPDATE";
        for lock in [of_rows, "LOCK TABLES t WRITE"] {
            other.query_drop("BEGIN").await.unwrap();
            other.query_drop(lock).await.unwrap();
            let mut waiting = JoinSet::new();
            for user in ["root", "lane"] {
                let endpoint = endpoint(server.url("control_locks").replace("root", user));
                let lane = Target::connect(&endpoint, "lane 0").await.unwrap();
                waiting.spawn(async move {
                    let sql = Words::each("", "UPDATE t SET id = 2");
                    lane.execute(sql, params![]).await
                });
            }
            tokio::time::sleep(Duration::from_secs(7)).await;
            for user in ["root", "lane"] {
                let endpoint = endpoint(server.url("control_locks").replace("root", user));
                let status = Target::connect(&endpoint, "status").await.unwrap();
                let seen = look(&status, Err("not asked"), &row).await.unwrap().blocked;
                let may = user == "root" || lock != of_rows;
                assert_eq!(seen.is_some(), may, "{user}, {lock}");
                assert!(seen.is_none_or(|seen| seen.seconds >= 5.0), "{seen:?}");
                let told = seen.and_then(|seen| seen.by).is_some();
                let by_mariadb = server.programs().flavor == Flavor::MariaDb;
                assert_eq!(told, by_mariadb && user == "root" && lock == of_rows);
            }
            other.query_drop("ROLLBACK; UNLOCK TABLES").await.unwrap();
            while let Some(done) = waiting.join_next().await {
                assert_eq!(done.unwrap().unwrap(), 1);
            }
        }
    }
}
