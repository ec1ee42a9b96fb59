//! A lane on MySQL or MariaDB and the new backend's own sessions want the same rows: deadlocks, locks
//! that are not free in time, and sessions that somebody ends. Nothing is half written, nothing is
//! lost, and each effect is there once.

mod deadlocks;
mod timeouts;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::connect::Flavor;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use tempfile::TempDir;

use crate::scenario::daemon::{Daemon, command};

const DEADLINE: Duration = Duration::from_secs(120);
/// The server shows who waits as it last made it up, for as long as somebody asks again within 0.1 s
/// (trx0i_s.cc, `CACHE_MIN_IDLE_TIME_US`).
const LOOK: Duration = Duration::from_millis(150);

/// Sessions that wait for a row's lock.
pub const WAITING: &str = "information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";

/// Carts from 1 to 8 of one line each.
const OLD: &str = "
    CREATE TABLE orders (id BIGINT PRIMARY KEY, email VARCHAR(80)) ENGINE = InnoDB;
    CREATE TABLE order_lines (
        id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL, qty INT NOT NULL, KEY (order_id),
        FOREIGN KEY (order_id) REFERENCES orders (id)
    ) ENGINE = InnoDB;
    INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f'), (7, 'g'),
        (8, 'h');
    INSERT INTO order_lines SELECT id * 10, id, 1 FROM orders;";

/// With rows that make a transaction heavy.
const NEW: &str = "
    CREATE TABLE cart (
        id BIGINT PRIMARY KEY, email VARCHAR(80), version INT NOT NULL DEFAULT 1
    ) ENGINE = InnoDB;
    CREATE TABLE line (
        id BIGINT PRIMARY KEY, cart_id BIGINT NOT NULL, qty INT NOT NULL, KEY (cart_id),
        FOREIGN KEY (cart_id) REFERENCES cart (id)
    ) ENGINE = InnoDB;
    CREATE TABLE ballast (id INT PRIMARY KEY, n INT NOT NULL) ENGINE = InnoDB;
    INSERT INTO ballast SELECT ones.n + 10 * tens.n + 100 * hundreds.n, 0
    FROM (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5
          UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) AS ones
    JOIN (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5
          UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) AS tens
    JOIN (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) AS hundreds;";

const CONFIG: &str = r#"
name = "shop"
[source]
kind = "mysql"
url = "{{url}}/old"
[target]
kind = "mysql"
url = "{{url}}/new"
[apply]
lanes = 1
[cart]
table = "orders"
key = "id"
[cart.rows]
order_lines = { cart = "order_id", key = "id" }
[[into]]
table = "cart"
per = "orders"
role = "header"
lock = "version"
[into.columns]
id = { key = "id" }
email = "email"
[[into]]
table = "line"
per = "order_lines"
lock = "row"
[into.columns]
id = { key = "id" }
cart_id = "order_id"
qty = "qty"
"#;

/// Both shops on one server, and a daemon of one lane between them, after its first walk.
pub struct Stand {
    pub server: Server,
    daemon: Daemon,
    _folder: TempDir,
}

/// A session of the new backend.
pub struct Buyer {
    conn: Conn,
    id: u32,
}

impl Stand {
    /// On a server that waits so many seconds for a row's lock, and gives statements, those of our user
    /// above all, so many milliseconds where it is said.
    pub async fn open(programs: Programs, patience: &str, limit: Option<u32>) -> Self {
        let flavor = programs.flavor;
        let options = Options::default().setting("innodb_lock_wait_timeout", patience);
        let server = Server::start_of(programs, options).await.unwrap();
        for (database, sql) in [("old", OLD), ("new", NEW)] {
            let sql = format!("CREATE DATABASE {database}; USE {database}; {sql}");
            server.run(&sql).await.unwrap();
        }
        let user = "CREATE USER cartage@'127.0.0.1'; GRANT ALL ON *.* TO cartage@'127.0.0.1'";
        server.run(user).await.unwrap();
        if let Some(ms) = limit {
            let sql = match flavor {
                Flavor::MariaDb => format!(
                    "ALTER USER cartage@'127.0.0.1' WITH MAX_STATEMENT_TIME 0.{ms:03};
                     SET GLOBAL max_statement_time = 0.{ms:03}"
                ),
                Flavor::MySql => format!("SET GLOBAL max_execution_time = {ms}"),
            };
            server.run(&sql).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let config: PathBuf = folder.path().join("cartage.toml");
        let url = format!("mysql://cartage@127.0.0.1:{}", server.port());
        fs::write(&config, CONFIG.replace("{{url}}", &url)).unwrap();
        command(&config, &["setup", "--yes"]);
        let mut stand = Self {
            daemon: Daemon::start(&config),
            server,
            _folder: folder,
        };
        stand
            .until(
                "the first walk to end",
                "SELECT count(*) > 0 AND sum(finished_at IS NULL) = 0 FROM cartage_refresh_run",
            )
            .await;
        assert_eq!(stand.lines().await, "1 1 1 1 1 1 1 1");
        stand
    }

    pub async fn buyer(&self) -> Buyer {
        let conn = self.conn().await;
        Buyer {
            id: conn.id(),
            conn,
        }
    }

    /// A session in the new shop, without a limit on its time, which takes no locks on gaps.
    async fn conn(&self) -> Conn {
        let mut conn = self.server.conn(Some("new")).await.unwrap();
        let limit = match self.server.programs().flavor {
            Flavor::MariaDb => "max_statement_time",
            Flavor::MySql => "max_execution_time",
        };
        let set = format!(
            "SET SESSION {limit} = 0; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
        );
        conn.query_drop(set).await.unwrap();
        conn
    }

    /// What the old shop does.
    pub async fn old(&self, sql: &str) {
        self.server.run(&format!("USE old; {sql}")).await.unwrap();
    }

    /// One text of the new shop's database.
    pub async fn text(&self, sql: &str) -> String {
        let mut conn = self.conn().await;
        let text: Option<Option<String>> = conn.query_first(sql).await.unwrap();
        text.flatten().unwrap_or_default()
    }

    pub async fn until(&mut self, awaited: &str, sql: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.text(sql).await != "1" {
            let log = self.daemon.log();
            assert!(self.daemon.alive(), "the daemon ended by itself\n{log}");
            let late = Instant::now() > deadline;
            assert!(!late, "waited {DEADLINE:?} for {awaited}\n{log}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How often each cart was written, which is what its counter says.
    pub async fn versions(&self) -> String {
        let sql = "SELECT group_concat(version ORDER BY id SEPARATOR ' ') FROM cart";
        self.text(sql).await
    }

    pub async fn lines(&self) -> String {
        let sql = "SELECT group_concat(qty ORDER BY id SEPARATOR ' ') FROM line";
        self.text(sql).await
    }

    /// How often the lanes were taken over, which each beginning anew does.
    pub async fn epoch(&self) -> String {
        self.text("SELECT epoch FROM cartage_pipeline").await
    }

    /// Waits until all carts have come to this, and looks that it was by one write of each.
    pub async fn comes_to(&mut self, lines: &str, versions: &str) {
        let sql =
            format!("SELECT group_concat(qty ORDER BY id SEPARATOR ' ') = '{lines}' FROM line");
        self.until("all carts to arrive", &sql).await;
        assert_eq!(self.versions().await, versions);
        // What is written to the ledger is what the counters say.
        let patches =
            "SELECT group_concat(patches ORDER BY cart SEPARATOR ' ') FROM cartage_ledger";
        assert_eq!(self.text(patches).await, versions);
        assert_eq!(self.text("SELECT count(*) FROM cartage_held").await, "0");
    }

    /// Waits until another session than these waits for a lock, and tells which.
    pub async fn waiting(&mut self, others: &[&Buyer]) -> String {
        let others: Vec<String> = others.iter().map(|buyer| buyer.id.to_string()).collect();
        let waits = format!(
            "EXISTS (SELECT 1 FROM {WAITING} AND trx_mysql_thread_id NOT IN ({}))",
            others.join(", ")
        );
        tokio::time::sleep(LOOK).await;
        self.until("the lane to wait", &format!("SELECT {waits}"))
            .await;
        let sql = format!("SELECT max(trx_mysql_thread_id) FROM {WAITING}");
        self.text(&sql).await
    }

    /// How often sessions have had to wait for a row.
    pub async fn waits(&self) -> u64 {
        let sql = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'";
        let mut conn = self.conn().await;
        let row: Option<(String, u64)> = conn.query_first(sql).await.unwrap();
        row.unwrap().1
    }

    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

impl Buyer {
    pub async fn run(&mut self, sql: &str) {
        self.conn.query_drop(sql).await.unwrap();
    }

    /// Begins a transaction that weighs more than a lane's: the server breaks off the lighter one.
    pub async fn begin(&mut self) {
        self.run("BEGIN; UPDATE ballast SET n = n + 1 WHERE id < 150")
            .await;
    }
}
