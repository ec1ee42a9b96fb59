//! The old shop: its carts, and the backlog that everybody has to catch up with.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use cartage::demo::cluster::Cluster;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::server::{Server, Session, position};
use crate::{Failed, Result, Size};

pub const DATABASE: &str = "old";
pub const PUBLICATION: &str = "bench";
/// Stands where the backlog begins, and is never read from: each contender has a copy of it.
const MASTER: &str = "bench_master";
/// Carts that the last transaction marks: whoever has them all has caught up, in each of its lanes.
pub const MARKED: usize = 64;
pub const MARK: &str = "caught up";
/// Customers at once.
const CLIENTS: u64 = 4;

pub struct OldShop {
    pub server: Server,
    /// What the backlog holds.
    pub backlog: Backlog,
    /// The tokens of the carts that the last transaction marks.
    pub marked: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Backlog {
    pub transactions: u64,
    pub rows: u64,
    /// Where it ends in the WAL.
    pub end: u64,
    /// In a binary log: its first file, and the transactions' ids where it begins and ends.
    pub file: String,
    pub ids: [String; 2],
}

impl OldShop {
    pub async fn open(server: Server, size: Size) -> Result<Self> {
        let (schema, fill) = match &server {
            Server::Postgres(_) => (
                include_str!("shop/postgres/old.sql"),
                include_str!("shop/postgres/fill.sql"),
            ),
            Server::Mariadb(_) => (
                include_str!("shop/mariadb/old.sql"),
                include_str!("shop/mariadb/fill.sql"),
            ),
        };
        let mut session = server.empty(DATABASE, schema).await?;
        let fill = fill.replace("$CARTS", &size.carts.to_string());
        // Each by itself: VACUUM takes no company.
        for statement in fill.split_inclusive(';').filter(|s| !s.trim().is_empty()) {
            session.run(statement).await?;
        }
        if let Server::Postgres(_) = server {
            let publish = format!("CREATE PUBLICATION {PUBLICATION} FOR TABLE cart, cart_item");
            session.run(&publish).await?;
        }
        let text = match &server {
            Server::Postgres(_) => "token::text",
            Server::Mariadb(_) => "token",
        };
        let sql = format!("SELECT {text}, '' FROM cart ORDER BY id LIMIT {MARKED}");
        let marked = session.pairs(&sql).await?;
        Ok(Self {
            server,
            backlog: Backlog::default(),
            marked: marked.into_iter().map(|(token, _)| token).collect(),
        })
    }

    /// The server's own Postgres.
    pub fn cluster(&self) -> Result<&Cluster> {
        match &self.server {
            Server::Postgres(cluster) => Ok(cluster),
            Server::Mariadb(_) => Err(Failed::because("the old shop is not on Postgres")),
        }
    }

    /// Keeps the place from which the backlog begins: that of a slot, where there are slots.
    pub async fn begin_backlog(&mut self, slot: &str) -> Result<()> {
        match &self.server {
            Server::Postgres(_) => {
                self.drop_slot(MASTER).await?;
                self.copy_slot(slot, MASTER).await
            }
            Server::Mariadb(_) => {
                let mut session = self.server.session(DATABASE).await?;
                session.run("FLUSH BINARY LOGS").await?;
                let Session::Mariadb(conn) = &mut session else {
                    return Ok(());
                };
                let status: Option<mysql_async::Row> =
                    conn.query_first("SHOW MASTER STATUS").await?;
                let file = status.and_then(|row| row.get(0));
                self.backlog.file = file.unwrap_or_default();
                self.backlog.ids[0] = id(&mut session).await?;
                Ok(())
            }
        }
    }

    /// Sells in carts that are all the same to the customers, and marks the end.
    pub async fn sell(&mut self, size: Size) -> Result<()> {
        self.sell_in(size, "random(1, $CARTS)").await
    }

    /// Sells in carts that pgbench draws by this expression, on Postgres; MariaDB's customers have
    /// none that they like best.
    pub async fn sell_in(&mut self, size: Size, draw: &str) -> Result<()> {
        let mut session = self.server.session(DATABASE).await?;
        let each = size.transactions / CLIENTS;
        match &self.server {
            Server::Postgres(cluster) => with_pgbench(cluster, size, each, draw)?,
            Server::Mariadb(_) => {
                // Nobody waits for the shop itself here.
                let durable = "SET GLOBAL innodb_flush_log_at_trx_commit =";
                session.run(&format!("{durable} 0")).await?;
                let url = self.server.url(DATABASE);
                let customers = (0..CLIENTS).map(|n| buy(url.clone(), n, size.carts, each));
                futures_util::future::try_join_all(customers).await?;
                session.run(&format!("{durable} 1")).await?;
            }
        }
        self.backlog.transactions = each * CLIENTS;
        self.backlog.rows = each * CLIENTS * 2;
        self.mark().await
    }

    /// Changes as many lines in one transaction, and marks the end.
    pub async fn sell_at_once(&mut self, rows: u64) -> Result<()> {
        let mut session = self.server.session(DATABASE).await?;
        let sql = format!("UPDATE cart_item SET qty = qty % 50 + 1 WHERE id <= {rows}");
        session.run(&sql).await?;
        self.backlog.transactions = 1;
        self.backlog.rows = rows;
        self.mark().await
    }

    /// The last transaction of the backlog.
    async fn mark(&mut self) -> Result<()> {
        let mut session = self.server.session(DATABASE).await?;
        let tokens: Vec<String> = self
            .marked
            .iter()
            .map(|token| format!("'{token}'"))
            .collect();
        let tokens = tokens.join(", ");
        let mark = format!("UPDATE cart SET status = '{MARK}' WHERE token IN ({tokens})");
        session.run(&mark).await?;
        self.backlog.transactions += 1;
        self.backlog.rows += MARKED as u64;
        match &self.server {
            Server::Postgres(cluster) => {
                self.backlog.end = position(&cluster.client(DATABASE).await?).await?;
                // Or autovacuum does it, while whoever is first works.
                session.run("VACUUM ANALYZE cart").await?;
                session.run("VACUUM ANALYZE cart_item").await?;
            }
            Server::Mariadb(_) => self.backlog.ids[1] = id(&mut session).await?,
        }
        self.server.settle().await
    }

    /// Gives a contender a slot of its own at the backlog's beginning, where there are slots.
    pub async fn rewind(&self, slot: &str) -> Result<()> {
        match &self.server {
            Server::Postgres(_) => {
                self.drop_slot(slot).await?;
                self.copy_slot(MASTER, slot).await
            }
            Server::Mariadb(_) => Ok(()),
        }
    }

    async fn copy_slot(&self, from: &str, to: &str) -> Result<()> {
        let client = self.cluster()?.client(DATABASE).await?;
        let sql = "SELECT pg_copy_logical_replication_slot($1, $2)";
        client.execute(sql, &[&from, &to]).await?;
        Ok(())
    }

    /// Waits for its reader to leave.
    pub async fn drop_slot(&self, name: &str) -> Result<()> {
        let Server::Postgres(cluster) = &self.server else {
            return Ok(());
        };
        let client = cluster.client(DATABASE).await?;
        let deadline = Instant::now() + crate::PATIENCE;
        let sql = "SELECT active FROM pg_replication_slots WHERE slot_name = $1";
        while let Some(row) = client.query_opt(sql, &[&name]).await? {
            if !row.get::<_, bool>(0) {
                let drop = "SELECT pg_drop_replication_slot($1)";
                client.execute(drop, &[&name]).await?;
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Failed::because(format!("the slot {name} is still read")));
            }
            tokio::time::sleep(crate::LOOK).await;
        }
        Ok(())
    }
}

fn with_pgbench(cluster: &Cluster, size: Size, each: u64, draw: &str) -> Result<()> {
    let script = include_str!("shop/postgres/stream.pgbench").replace("$DRAW", draw);
    let script = script.replace("$CARTS", &size.carts.to_string());
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), script)?;
    let path: &Path = file.path();
    let sold = Command::new(cluster.programs().join("pgbench"))
        .args(["-h", "127.0.0.1", "-p", &cluster.port().to_string()])
        .args(["-U", "postgres", "-n", "-M", "prepared", "-j", "2"])
        .args(["-c", &CLIENTS.to_string(), "-t", &each.to_string()])
        .arg("-f")
        .arg(path)
        .arg(DATABASE)
        // Nobody waits for the shop itself here.
        .env("PGOPTIONS", "-c synchronous_commit=off")
        .stdout(Stdio::null())
        .output()?;
    match sold.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&sold.stderr).into_owned();
            Err(Failed::because(format!("pgbench failed: {said}")))
        }
    }
}

/// One customer after the other, each with the same two statements as `stream.pgbench`.
async fn buy(url: String, seed: u64, carts: u64, times: u64) -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut conn = Conn::from_url(url).await?;
    let mut left = times;
    while left > 0 {
        let (cart, line) = (rng.u64(1..=carts), rng.u64(0..6));
        let (sku, quantity) = ((cart * 7 + line * 1009) % 5000, rng.u8(1..=5));
        let price = f64::from(rng.u32(100..10_000)) / 100.0;
        let bought = conn
            .query_drop(format!(
                "BEGIN;
                 UPDATE cart SET version = version + 1, updated_at = now(6) WHERE id = {cart};
                 INSERT INTO cart_item (cart_id, sku, qty, unit_price)
                 VALUES ({cart}, 'SKU-{sku:06}', {quantity}, {price:.2})
                 ON DUPLICATE KEY UPDATE qty = qty + VALUES(qty), unit_price = VALUES(unit_price),
                     updated_at = now(6);
                 COMMIT"
            ))
            .await;
        match bought {
            Ok(()) => left -= 1,
            // Two met in one cart: the customer tries again.
            Err(mysql_async::Error::Server(error)) if error.code == 1213 => {
                conn.query_drop("ROLLBACK").await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(conn.disconnect().await?)
}

/// The ids of all transactions in the log so far.
async fn id(session: &mut Session) -> Result<String> {
    let ids = session.pairs("SELECT @@gtid_binlog_pos, ''").await?;
    Ok(ids.into_iter().next().unwrap_or_default().0)
}
