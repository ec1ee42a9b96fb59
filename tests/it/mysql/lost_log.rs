//! The source's log goes on in another file, on a server that was restarted, or is gone: the daemon
//! reads on, or says what is lost, and `setup` mends that without emptying the new shop.

use std::path::PathBuf;

use cartage::config::Kind;
use cartage::demo::cluster::Shutdown;
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::source::change::Lsn;
use cartage::switch::Place;
use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

use super::forgets;
use crate::crash::process::{Cartage, Visit};
use crate::scenario::daemon::{Daemon, command, refusal};
use crate::scenario::folder::{Scenario, Side};
use crate::scenario::pair::Pair;
use crate::scenario::play::write;
use crate::scenario::session::Session;
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::{Shop, Shops};

const PATIENCE: Duration = Duration::from_secs(30);

/// An old shop on a server of its own, and a new one whose triggers count what is written.
struct Stand {
    server: Server,
    shops: Shops,
    config: PathBuf,
    oracle: Scenario,
    _folder: TempDir,
}

impl Stand {
    async fn open(programs: Programs, target: Kind, database: &str) -> Self {
        let options = Options::default().with_ids(programs.flavor);
        let server = Server::start_of(programs, options).await.unwrap();
        let pair = Pair {
            source: Kind::Mysql,
            target,
        };
        let scenario = Scenario {
            name: database.to_owned(),
            ..Scenario::between(pair, "mass_touch_no_write")
        };
        let shops = Shops {
            source: Shop::on(&server, database).await,
            target: Shop::create(target, Side::Target, database).await,
        };
        shops.source.session.run(&scenario.source).await.unwrap();
        shops.target.session.run(&scenario.target).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            config: write(&scenario, &scenario.config, &shops, folder.path()),
            oracle: Scenario::between(pair, "basic"),
            server,
            shops,
            _folder: folder,
        }
    }

    async fn sell(&self, sql: &str) {
        self.shops.source.session.run(sql).await.unwrap();
    }

    async fn restart(&mut self, how: Shutdown) {
        self.server.restart(how).await.unwrap();
        let source = &mut self.shops.source;
        source.session = Session::open(source.kind, &source.url).await;
    }

    /// Has the server forget all that it has logged, but for the file that it writes.
    async fn purge(&self) {
        self.sell("FLUSH BINARY LOGS").await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let files = self.shops.source.rows("SHOW BINARY LOGS", "files").await;
            let [_, .., last] = &files[..] else { return };
            // MariaDB keeps a file for a while after the last of its transactions.
            assert!(Instant::now() < deadline, "not purged: {files:?}");
            let name = last.split(" | ").next().unwrap();
            self.sell(&format!("PURGE BINARY LOGS TO '{name}'")).await;
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn reset(&self) {
        self.sell(forgets(&self.server).await).await;
    }

    /// Sells until the log has come past a place of its own former life.
    async fn outgrows(&self, before: Lsn) {
        let file = |position: Lsn| position.0 >> 32;
        loop {
            let end = self.shops.source.end().await;
            if end > before {
                return;
            }
            self.sell("UPDATE orders SET email = concat(email, 'x')")
                .await;
            if file(end) < file(before) {
                self.sell("FLUSH BINARY LOGS").await;
            }
        }
    }

    /// Waits until the new shop has everything, and looks whether it is right.
    async fn is_carried_over(&self, daemon: &mut Daemon) {
        let Shops { source, target } = &self.shops;
        arrived(daemon, &target.session, source.end().await).await;
        let wanted = source.rows(&self.oracle.oracle_source, "source").await;
        let found = target.rows(&self.oracle.oracle_target, "target").await;
        assert_eq!(found, wanted, "{}", daemon.log());
    }

    async fn carts(&self) -> Vec<String> {
        let target = &self.shops.target;
        target.rows(&self.oracle.oracle_target, "target").await
    }

    /// How many rows the new shop has had inserted, changed and deleted.
    async fn writes(&self) -> [i64; 3] {
        let mut counts = [0; 3];
        for (count, what) in counts.iter_mut().zip(["INSERT", "UPDATE", "DELETE"]) {
            let sql = format!("SELECT count(*) FROM writes WHERE what = '{what}'");
            *count = self.shops.target.number(&sql).await;
        }
        counts
    }

    /// The daemon names what is lost and changes nothing; setup starts over, and then only what
    /// differs is written: one row that was inserted, one that was changed and one that was deleted.
    async fn starts_over(&self, lost: &str, why: &str) -> Daemon {
        let (carts, [inserted, changed, deleted]) = (self.carts().await, self.writes().await);
        let said = refusal(&self.config, &["run"]);
        assert!(said.contains(lost), "{said}");
        assert!(said.contains("run: cartage setup"), "{said}");
        let said = command(&self.config, &["setup", "--yes"]);
        assert!(said.contains(why), "{said}");
        assert!(said.contains("have every cart read again"), "{said}");
        assert_eq!(self.carts().await, carts);
        let mut daemon = Daemon::start(&self.config);
        self.is_carried_over(&mut daemon).await;
        let writes = [inserted + 1, changed + 1, deleted + 1];
        assert_eq!(self.writes().await, writes, "{}", daemon.log());
        daemon
    }
}

async fn goes_on_or_starts_over(target: Kind, database: &str) {
    for programs in Programs::all().unwrap() {
        let mut stand = Stand::open(programs, target, database).await;
        command(&stand.config, &["setup", "--yes"]);
        let mut daemon = Daemon::start(&stand.config);
        backfilled(&mut daemon, &stand.shops.target.session).await;

        // Into another file, while it reads and while it does not.
        let rotate = "UPDATE orders SET email = 'before' WHERE id = 1; FLUSH BINARY LOGS;
                      UPDATE orders SET email = 'after' WHERE id = 2";
        stand.sell(rotate).await;
        stand.is_carried_over(&mut daemon).await;
        daemon.stop().await;
        stand
            .sell("DELETE FROM orders WHERE id = 3; FLUSH BINARY LOGS")
            .await;
        stand
            .sell("UPDATE orders SET email = 'later' WHERE id = 1; FLUSH BINARY LOGS")
            .await;
        let mut daemon = Daemon::start(&stand.config);
        stand.is_carried_over(&mut daemon).await;

        // A server that is gone for a moment.
        for (how, id) in [(Shutdown::Fast, 4), (Shutdown::Immediate, 5)] {
            stand
                .sell(&format!(
                    "UPDATE order_lines SET qty = 50 WHERE order_id = {id}"
                ))
                .await;
            stand.restart(how).await;
            stand
                .sell(&format!(
                    "DELETE FROM order_lines WHERE order_id = {id} AND sku = 'sku-1'"
                ))
                .await;
            stand.is_carried_over(&mut daemon).await;
        }
        daemon.stop().await;

        // What happens now is read by nobody.
        let unseen = |id: u32| {
            format!(
                "UPDATE orders SET email = 'unseen' WHERE id = {id};
                 DELETE FROM order_lines WHERE id = {id}1;
                 INSERT INTO order_lines VALUES ({id}9, {id}, 'unseen', 1, 1.00)"
            )
        };
        stand.sell(&unseen(10)).await;
        stand.purge().await;
        let gone = "has removed the binlog at";
        let daemon = stand.starts_over(gone, "the source has removed log that was not read");
        daemon.await.stop().await;

        stand.sell(&unseen(20)).await;
        stand.reset().await;
        let daemon = stand.starts_over("was reset", "the source's log was reset");
        let mut daemon = daemon.await;
        stand
            .sell("UPDATE orders SET email = 'seen' WHERE id = 30")
            .await;
        stand.is_carried_over(&mut daemon).await;
        daemon.stop().await;
    }
}

/// A setup that starts over is cut short, and by the next one there is a log again where the lost one
/// was: what was stored by then must not vouch for it.
async fn starts_over_once_more(target: Kind, database: &str) {
    for programs in Programs::all().unwrap() {
        let stand = Stand::open(programs, target, database).await;
        command(&stand.config, &["setup", "--yes"]);
        let mut daemon = Daemon::start(&stand.config);
        backfilled(&mut daemon, &stand.shops.target.session).await;
        for (place, id) in [(Place::StateStored, 10), (Place::StartedOver, 20)] {
            stand.is_carried_over(&mut daemon).await;
            daemon.stop().await;
            let before = stand.shops.source.end().await;
            stand
                .sell(&format!(
                    "DELETE FROM order_lines WHERE order_id = {id};
                     DELETE FROM orders WHERE id = {id}"
                ))
                .await;
            stand.reset().await;
            let cut_short = Cartage::new();
            cut_short.configure(&std::fs::read_to_string(&stand.config).unwrap());
            let kill = Visit { place, nth: 1 };
            // Both steps may be one, and then it comes to one of the places alone.
            cut_short
                .start(&["setup", "--yes"], Some(kill))
                .ended()
                .await;
            stand.outgrows(before).await;
            command(&stand.config, &["setup", "--yes"]);
            daemon = Daemon::start(&stand.config);
            stand.is_carried_over(&mut daemon).await;
        }
        daemon.stop().await;
    }
}

/// A server that leaves the shop's database out of its log tells nothing of what is sold. The daemon
/// does not take that for silence, and has all carts read again when the log has them once more.
async fn left_out(target: Kind, database: &str) {
    for programs in Programs::all().unwrap() {
        let mut stand = Stand::open(programs, target, database).await;
        command(&stand.config, &["setup", "--yes"]);
        let mut daemon = Daemon::start(&stand.config);
        backfilled(&mut daemon, &stand.shops.target.session).await;
        stand.is_carried_over(&mut daemon).await;
        daemon.stop().await;

        stand.server.set("binlog_do_db", "another");
        stand.restart(Shutdown::Fast).await;
        stand
            .sell("DELETE FROM order_lines WHERE order_id = 7; DELETE FROM orders WHERE id = 7")
            .await;
        let left_out = format!(
            "leaves what changes in the database {database} out of its log (binlog_do_db = another)"
        );
        for arguments in [&["run"][..], &["setup", "--yes"]] {
            let said = refusal(&stand.config, arguments);
            assert!(said.contains(&left_out), "{said}");
        }
        stand.server.set("binlog_do_db", database);
        stand.restart(Shutdown::Fast).await;
        let mut daemon = Daemon::start(&stand.config);
        stand.is_carried_over(&mut daemon).await;
        daemon.stop().await;
    }
}

/// The new shop stands still, and the log will be removed by its age.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_will_be_removed_before_it_is_read_is_told_of() {
    for programs in Programs::all().unwrap() {
        let stand = Stand::open(programs, Kind::Postgres, "forecast_p").await;
        let text = std::fs::read_to_string(&stand.config).unwrap();
        std::fs::write(&stand.config, text + "\n[watch]\nevery = \"200ms\"\n").unwrap();
        stand
            .sell("SET GLOBAL binlog_expire_logs_seconds = 600")
            .await;
        command(&stand.config, &["setup", "--yes"]);
        let mut daemon = Daemon::start(&stand.config);
        backfilled(&mut daemon, &stand.shops.target.session).await;
        stand
            .sell("UPDATE orders SET email = 'first' WHERE id = 1")
            .await;
        stand.is_carried_over(&mut daemon).await;
        let target = Session::open(Kind::Postgres, &stand.shops.target.url).await;
        target
            .run("BEGIN; LOCK TABLE cart IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        for n in 0..20 {
            stand
                .sell(&format!("UPDATE orders SET email = concat('n', {n}, id)"))
                .await;
        }
        daemon
            .says("at the present rate the source gives the log up in")
            .await;
        let status = command(&stand.config, &["status", "--json"]);
        let status: serde_json::Value =
            serde_json::from_str(status.lines().next().unwrap()).unwrap();
        let forecast = &status["forecast"];
        assert_eq!(forecast["verdict"], "too_late", "{status}");
        let loss = forecast["loss_seconds"].as_f64().unwrap();
        assert!((1.0..=600.0).contains(&loss), "{status}");
        target.run("ROLLBACK").await.unwrap();
        stand.is_carried_over(&mut daemon).await;
        daemon.stop().await;
    }
}

#[tokio::test]
async fn changes_that_are_left_out_of_the_log_are_made_up_for_in_postgres() {
    left_out(Kind::Postgres, "left_out_p").await;
}

#[tokio::test]
async fn changes_that_are_left_out_of_the_log_are_made_up_for_in_mysql() {
    left_out(Kind::Mysql, "left_out_m").await;
}

#[tokio::test]
async fn a_log_is_read_on_or_its_loss_is_mended_in_postgres() {
    goes_on_or_starts_over(Kind::Postgres, "lost_log_p").await;
}

#[tokio::test]
async fn a_log_is_read_on_or_its_loss_is_mended_in_mysql() {
    goes_on_or_starts_over(Kind::Mysql, "lost_log_m").await;
}

#[tokio::test]
async fn a_start_over_that_was_cut_short_is_begun_again_in_postgres() {
    starts_over_once_more(Kind::Postgres, "cut_short_p").await;
}

#[tokio::test]
async fn a_start_over_that_was_cut_short_is_begun_again_in_mysql() {
    starts_over_once_more(Kind::Mysql, "cut_short_m").await;
}
