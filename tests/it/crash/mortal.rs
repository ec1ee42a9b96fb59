//! A target's server of a test's own, which dies while `cartage` writes into it, and comes again.

use std::time::{Duration, Instant};

use cartage::config::Kind;
use cartage::demo::cluster::{Cluster, Options, Shutdown};
use cartage::demo::mysql::{self, Programs, Server};
use cartage::demo::server::Throwaway;
use cartage::switch::Place;
use fastrand::Rng;

use super::process::{Cartage, Process, Visit};
use super::valve::Valve;
use crate::scenario::shop::Shop;

const DEADLINE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(10);

/// When the server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// A batch is written and not committed.
    Uncommitted,
    /// The batch is committed, and the answer has not come.
    Unheard,
    /// At any moment.
    AnyMoment,
}

impl Death {
    pub const ALL: [Death; 3] = [Death::Uncommitted, Death::Unheard, Death::AnyMoment];
}

pub struct Mortal {
    server: Throwaway,
    valve: Valve,
}

impl Mortal {
    /// Of the usual programs of its kind, or of these.
    pub async fn start(kind: Kind, programs: Option<Programs>) -> Self {
        let (server, port) = match kind {
            Kind::Postgres => {
                let cluster = Cluster::start(Options::default()).await.unwrap();
                let port = cluster.port();
                (Throwaway::Postgres(cluster), port)
            }
            Kind::Mysql => {
                let programs = programs.map_or_else(Programs::usual, Ok).unwrap();
                let options = mysql::Options::default().server_id(2);
                let server = Server::start_of(programs, options).await.unwrap();
                let port = server.port();
                (Throwaway::Mysql(server), port)
            }
        };
        Self {
            server,
            valve: Valve::before(port).await,
        }
    }

    pub async fn shop(&self, database: &str) -> Shop {
        Shop::alone(&self.server, database).await
    }

    /// The port by which `cartage` reaches it.
    pub fn port(&self) -> u16 {
        self.valve.port
    }

    /// Has the server die under a daemon, which must go on by itself when it is there again.
    pub async fn dies(
        &mut self,
        how: Death,
        cartage: &Cartage,
        shop: &mut Shop,
        rng: &mut Rng,
        provoke: impl AsyncFn(),
    ) {
        println!("the target dies: {how:?}");
        let place = Place::BeforeCommit;
        let nth = rng.u64(1..=20);
        let mut daemon = match how {
            Death::AnyMoment => cartage.start(&["run"], None),
            Death::Uncommitted | Death::Unheard => {
                let mut daemon = cartage.halted(&["run"], Visit { place, nth });
                daemon.halts(&provoke).await;
                daemon
            }
        };
        match how {
            Death::AnyMoment => {
                let moment = Instant::now() + Duration::from_millis(rng.u64(200..1_500));
                while Instant::now() < moment {
                    provoke().await;
                    tokio::time::sleep(LOOK).await;
                }
                self.valve.shut();
            }
            Death::Uncommitted => {}
            Death::Unheard => {
                let (before, restarts) = (lanes(shop).await, restarts(cartage));
                self.valve.shut();
                daemon.goes_on();
                // A record that met a deadlock is not tried again where nobody hears of it.
                until(cartage, &mut daemon, "a commit", async || {
                    lanes(shop).await != before || self::restarts(cartage) > restarts
                })
                .await;
            }
        }
        // The daemon does not begin anew before the server is gone: it is halted, or hears no answer.
        let dead = epoch(shop).await;
        self.server.restart(Shutdown::Immediate).await.unwrap();
        shop.reopen().await;
        if how == Death::Uncommitted {
            daemon.goes_on();
        }
        until(cartage, &mut daemon, "a new beginning", async || {
            epoch(shop).await != dead
        })
        .await;
        let before = lanes(shop).await;
        until(cartage, &mut daemon, "a commit", async || {
            provoke().await;
            lanes(shop).await != before
        })
        .await;
        daemon.kill();
    }
}

async fn until(cartage: &Cartage, daemon: &mut Process, what: &str, done: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !done().await {
        daemon.assert_alive();
        assert!(
            begun.elapsed() < DEADLINE,
            "waited {DEADLINE:?} for {what}\n{}",
            cartage.log()
        );
        tokio::time::sleep(LOOK + begun.elapsed() / 50).await;
    }
}

async fn epoch(shop: &Shop) -> i64 {
    shop.number("SELECT epoch FROM cartage.pipeline").await
}

fn restarts(cartage: &Cartage) -> usize {
    cartage.whole_log().matches("starting again").count()
}

/// How far all lanes are, and when they last committed: a part of a batch moves no position.
async fn lanes(shop: &Shop) -> Vec<String> {
    let sql = "SELECT lane, lsn, seq, updated_at FROM cartage.checkpoint";
    shop.rows(sql, "checkpoints").await
}
