//! An old shop on MySQL or MariaDB and a new one of either kind, with `cartage` between them.

use std::time::{Duration, Instant};

use cartage::config::Kind;
use cartage::demo::cluster::Shutdown;
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::connect::Flavor;
use cartage::source::change::Lsn;
use cartage::source::mysql::place::Base;
use cartage::switch::Place;
use fastrand::Rng;

use super::super::forgets;
use super::storefront::Storefront;
use crate::crash::mortal::{Death, Mortal};
use crate::crash::process::{Cartage, Process, Visit};
use crate::crash::stand::at_port;
use crate::crash::tally::Tally;
use crate::scenario::pair::word;
use crate::scenario::play::no_trace;
use crate::scenario::session::Asked as _;
use crate::scenario::settled::awaited;
use crate::scenario::shop::Shop;

const DEADLINE: Duration = Duration::from_secs(400);
const LOOK: Duration = Duration::from_millis(10);
const SETUP: &[&str] = &["setup", "--yes"];
const TEARDOWN: &[&str] = &["teardown", "--yes"];

pub struct Stand {
    server: Server,
    pub source: Shop,
    target: Shop,
    mortal: Mortal,
    pub cartage: Cartage,
    pub tally: Tally,
}

impl Stand {
    pub async fn new(programs: Programs, target: Kind, rng: &mut Rng) -> Self {
        let mut options = Options::default();
        // MySQL's places in its log are of one kind or of the other.
        if programs.flavor == Flavor::MySql {
            let ids = rng.bool();
            println!("gtid_mode {}", if ids { "ON" } else { "OFF" });
            if ids {
                options = options.with_ids(programs.flavor);
            }
        }
        let server = Server::start_of(programs.clone(), options).await.unwrap();
        let mortal = Mortal::start(target, Some(programs)).await;
        let stand = Self {
            source: Shop::on(&server, "old").await,
            target: mortal.shop("new").await,
            server,
            mortal,
            cartage: Cartage::new(),
            tally: Tally::default(),
        };
        let new = match target {
            Kind::Postgres => include_str!("new_shop.sql"),
            Kind::Mysql => include_str!("mysql/new_shop.sql"),
        };
        for (shop, sql) in [
            (&stand.source, include_str!("old_shop.sql")),
            (&stand.target, new),
        ] {
            shop.session.run(sql).await.unwrap();
        }
        let port = stand.mortal.port();
        stand.cartage.configure(
            &include_str!("cartage.toml")
                .replace("{{source_url}}", &stand.source.url)
                .replace("{{target_kind}}", word(target))
                .replace("{{target_url}}", &at_port(&stand.target.url, port)),
        );
        stand
    }

    /// Each setup comes one step further than the one before, and so does each first daemon.
    pub async fn set_up(&self, rng: &mut Rng) {
        if self.target.kind == Kind::Mysql {
            let (place, nth) = (Place::TableMade, rng.u64(1..9));
            self.cartage.killed_at(SETUP, Visit { place, nth }).await;
        }
        for place in [
            Place::Migrated,
            Place::Registered,
            Place::StateStored,
            Place::CheckpointMade,
        ] {
            self.cartage.killed(SETUP, place).await;
        }
        self.cartage.must(SETUP).await;
        for place in [
            Place::MappingStored,
            Place::MappingInForce,
            Place::BackfillBegun,
        ] {
            self.cartage.killed(&["run"], place).await;
        }
    }

    pub async fn tear_down(&self, rng: &mut Rng) {
        self.cartage.killed(TEARDOWN, Place::RowsRemoved).await;
        if self.target.kind == Kind::Mysql {
            let (place, nth) = (Place::TableDropped, rng.u64(1..10));
            self.cartage.killed_at(TEARDOWN, Visit { place, nth }).await;
        }
        self.cartage.must(TEARDOWN).await;
        no_trace(&self.target, "").await;
    }

    /// All that came since is read again, and changes nothing.
    pub async fn moves_back(&self, to: Lsn) {
        let to = Base::new("binlog").show(to).to_string();
        let set = ["checkpoint", "set", &to, "--yes"];
        self.cartage.killed(&set, Place::CheckpointMoved).await;
    }

    /// The log is gone with what was not read of it.
    pub async fn loses_its_log(&self, storefront: &Storefront) {
        let alone = storefront.shared.gate.write().await;
        let reset = forgets(&self.server).await;
        self.source.session.run(reset).await.unwrap();
        drop(alone);
        self.cartage.killed(SETUP, Place::StartedOver).await;
        storefront.open_for(40);
        self.cartage.must(SETUP).await;
    }

    /// Dies and comes again under a daemon, which must go on by itself.
    pub async fn source_dies(&mut self, rng: &mut Rng) {
        let mut daemon = self.cartage.start(&["run"], None);
        tokio::time::sleep(Duration::from_millis(rng.u64(200..1_500))).await;
        self.server.restart(Shutdown::Immediate).await.unwrap();
        self.source.reopen().await;
        self.caught_up(&mut daemon).await;
        daemon.kill();
        self.tally.random += 1;
    }

    pub async fn target_dies(&mut self, how: Death, rng: &mut Rng, storefront: &Storefront) {
        let sales = async || {
            storefront.assert_open();
            storefront.open_for(2);
        };
        let (cartage, shop) = (&self.cartage, &mut self.target);
        self.mortal.dies(how, cartage, shop, rng, sales).await;
        self.tally.random += 1;
    }

    /// Everything that the source has committed by now is durable.
    async fn caught_up(&self, daemon: &mut Process) {
        let goal = self.source.end().await;
        let deadline = Instant::now() + DEADLINE;
        while let Some(rest) = awaited(&self.target.session, goal).await {
            self.assert_in_time(daemon, deadline, &rest);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// And no cart is held.
    async fn settle(&self, daemon: &mut Process) {
        self.caught_up(daemon).await;
        let deadline = Instant::now() + DEADLINE;
        loop {
            // What was mended is tried at once, instead of after a pause that has grown.
            let sql = "UPDATE cartage.held SET retry_at = now()
                       WHERE retry_at > now() + INTERVAL '1' SECOND";
            self.target.session.ask(sql).await.unwrap();
            let sql = "SELECT cart, reason, message FROM cartage.held";
            let held = self.target.rows(sql, "held").await;
            if held.is_empty() {
                return;
            }
            self.assert_in_time(daemon, deadline, &format!("held carts: {held:#?}"));
            tokio::time::sleep(LOOK).await;
        }
    }

    fn assert_in_time(&self, daemon: &mut Process, deadline: Instant, rest: &str) {
        daemon.assert_alive();
        assert!(
            Instant::now() < deadline,
            "waited for this: {rest}\n{}",
            self.cartage.log()
        );
    }

    /// Lets the shop pause, has the daemon catch up, and compares.
    pub async fn judge(&self, storefront: &Storefront) {
        storefront.mend(&self.source).await;
        let alone = storefront.shared.gate.write().await;
        let mut daemon = self.cartage.start(&["run"], None);
        self.settle(&mut daemon).await;
        daemon.kill();
        self.carts(storefront).await;
        self.ends().await;
        self.versions().await;
        drop(alone);
    }

    async fn carts(&self, storefront: &Storefront) {
        let sql = match self.target.kind {
            Kind::Postgres => include_str!("target_carts.sql"),
            Kind::Mysql => include_str!("mysql/target_carts.sql"),
        };
        let source = include_str!("source_carts.sql");
        let source = self.source.rows(source, "source").await;
        let target = self.target.rows(sql, "target").await;
        assert!(source.len() > 50, "the old shop has {} carts", source.len());
        let missing: Vec<_> = source.iter().filter(|row| !target.contains(row)).collect();
        let false_ones: Vec<_> = target.iter().filter(|row| !source.contains(row)).collect();
        let first = missing.iter().chain(&false_ones).next();
        let first = first.and_then(|row| row.split(' ').next());
        let diary = first.map(|id| storefront.diary(id)).unwrap_or_default();
        assert!(
            source == target,
            "of {} carts the new shop lacks {missing:#?}\nand has {false_ones:#?}\n{diary}\n{}",
            source.len(),
            self.cartage.log()
        );
    }

    /// What was ended in the new shop was ended in the old one, and in no other way.
    async fn ends(&self) {
        let sql = "SELECT id FROM quote WHERE status = 'sold'";
        let ended = self.source.rows(sql, "ended").await;
        let sql = "SELECT id FROM cart WHERE completed_at IS NOT NULL";
        let completed = self.target.rows(sql, "completed").await;
        assert!(!completed.is_empty(), "no cart has ended");
        let alone: Vec<_> = completed.iter().filter(|id| !ended.contains(id)).collect();
        assert!(
            alone.is_empty(),
            "ended in the new shop alone: {alone:?}\n{}",
            self.cartage.log()
        );
    }

    /// Each committed patch moved the version by one, and nothing else did (protocol rule 26).
    async fn versions(&self) {
        let sql = "SELECT id, version, patches FROM cart
                   LEFT JOIN cartage.ledger AS ledger ON ledger.cart = concat(id, '')
                   WHERE version <> patches OR patches IS NULL";
        let wrong = self.target.rows(sql, "versions").await;
        assert!(
            wrong.is_empty(),
            "cart, version, patches: {wrong:#?}\n{}",
            self.cartage.log()
        );
    }
}
