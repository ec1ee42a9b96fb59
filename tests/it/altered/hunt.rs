//! A hunt: changes of either shop's schema, drawn by a seed, between purchases, kills and restarts. Where
//! the daemon stops for a change, what it says is done, or the change is undone, and it starts again.
//! `CARTAGE_SEED` replays what was drawn; when it happens still depends on the machine.
//! `CARTAGE_SCHEMA_SEEDS` says how many seeds are played.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use cartage::config::Kind;
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::switch::Place;
use fastrand::Rng;

use super::moves::{Source, Target};
use super::seeds;
use super::stand::{Stand, statements};
use super::storefront::is_passing;
use crate::crash::process::{Process, Visit};
use crate::mysql;
use crate::scenario::folder::Side;
use crate::scenario::shop::Shop;

const STEPS: u32 = 16;
const DEADLINE: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;
/// Where it is killed, with the visits among which the one that kills is drawn.
const PLACES: [(Place, u64); 12] = [
    (Place::Decoded, 60),
    (Place::BeforeCommit, 30),
    (Place::CommitSent, 30),
    (Place::AfterCommit, 30),
    (Place::TakenOver, 1),
    (Place::MappingStored, 1),
    (Place::MappingBegun, 1),
    (Place::MappingTouched, 2),
    (Place::MappingInForce, 1),
    (Place::RereadBegun, 1),
    (Place::ChunkRead, 4),
    (Place::StageWalked, 2),
];

struct Hunt {
    stand: Stand,
    source: Source,
    target: Target,
    rng: Rng,
    daemon: Option<Process>,
    /// Since the daemon began something had another name for a while.
    excused: bool,
    /// What was done, for who has to find out.
    diary: Vec<String>,
    /// Stops that were mended by the statement that they name.
    mended: u32,
}

impl Hunt {
    async fn play(stand: Stand, seed: u64) {
        let (source, target) = (stand.source.kind, stand.target.kind);
        let daemon = Some(stand.follows().await);
        let mut hunt = Self {
            source: Source::new(source),
            target: Target::new(target),
            rng: Rng::with_seed(seed),
            stand,
            daemon,
            excused: false,
            diary: Vec::new(),
            mended: 0,
        };
        for step in 0..STEPS {
            let more = hunt.rng.u64(2..12);
            hunt.stand.storefront.sells(more).await;
            hunt.lives().await;
            match hunt.rng.u32(..10) {
                // At least one of each, whatever is drawn.
                _ if step == 5 => hunt.renames().await,
                _ if step == 10 => hunt.renames_in_target().await,
                0..6 => hunt.alters().await,
                6..8 => hunt.renames().await,
                8 => hunt.alters_target().await,
                _ => hunt.renames_in_target().await,
            }
        }
        hunt.ends().await;
    }

    fn told(&self) -> String {
        format!("{}\n{}", self.diary.join("\n"), self.stand.cartage.log())
    }

    /// The daemon is there or not, as it is drawn, and perhaps dies somewhere.
    async fn lives(&mut self) {
        self.look();
        match (self.rng.u32(..6), &mut self.daemon) {
            (0..2, Some(_)) => {
                self.diary.push("killed".into());
                // It may be about to stop by itself.
                drop(self.daemon.take());
            }
            (0..5, None) => {
                let (place, visits) = PLACES[self.rng.usize(..PLACES.len())];
                let nth = self.rng.u64(1..=visits);
                let wish = self.rng.bool().then_some(Visit { place, nth });
                self.start(wish);
            }
            _ => {}
        }
    }

    fn start(&mut self, wish: Option<Visit>) {
        let wished = wish.map(|Visit { place, nth }| format!(" until {}@{nth}", place.name()));
        self.diary
            .push(format!("started{}", wished.unwrap_or_default()));
        self.daemon = Some(self.stand.cartage.start(&["run"], wish));
        self.excused = self.source.names != super::storefront::Names::default();
    }

    /// A daemon that ended was killed as it was wished for, or has stopped for a name.
    fn look(&mut self) {
        let Some(status) = self.daemon.as_mut().and_then(Process::status) else {
            return;
        };
        let killed = status.signal() == Some(SIGKILL);
        let stopped = status.code() == Some(4) && self.excused;
        assert!(killed || stopped, "it ended with {status}\n{}", self.told());
        self.diary.push(format!("ended with {status}"));
        self.daemon = None;
    }

    /// What the server cannot do in the way that was asked for it does in its own.
    async fn run(&mut self, shop: Side, sql: &str) {
        self.diary.push(format!("{shop:?}: {sql}"));
        let session = match shop {
            Side::Source => &self.stand.source.session,
            Side::Target => &self.stand.target.session,
        };
        let mut sql = sql.to_owned();
        loop {
            match session.run(&sql).await {
                Ok(()) => return,
                Err(error) if is_passing(&error) => {}
                Err(error) => match sql.split_once(", ALGORITHM=") {
                    Some((before, _)) => sql = before.to_owned(),
                    None => panic!("{error}\n{}", self.told()),
                },
            }
        }
    }

    async fn alters(&mut self) {
        let change = self.source.quiet(&mut self.rng);
        self.stand.storefront.open_for(10);
        if !change.alone {
            return self.run(Side::Source, &change.sql).await;
        }
        let sql = change.sql;
        self.alone(&sql, None).await;
    }

    /// While no customer is in the shop; then they know the new names.
    async fn alone(&mut self, sql: &str, names: Option<super::storefront::Names>) {
        self.diary.push(format!("alone: {sql}"));
        let mut alone = self.stand.storefront.alone().await;
        let done = self.stand.source.session.run(sql).await;
        done.unwrap_or_else(|error| panic!("{error}\n{}", self.told()));
        if let Some(names) = names {
            *alone = names;
        }
    }

    async fn renames(&mut self) {
        let renaming = self.source.renaming(&mut self.rng);
        let before = std::mem::replace(&mut self.source.names, renaming.names.clone());
        self.excused = true;
        self.alone(&renaming.sql, Some(renaming.names)).await;
        let more = self.rng.u64(1..8);
        self.stand.storefront.sells(more).await;
        self.look();
        let mut mend = renaming.back;
        if self.rng.u32(..3) > 0 {
            mend = self.stops("source", mend, &renaming.new).await;
        }
        self.source.names = before.clone();
        self.alone(&mend, Some(before)).await;
    }

    /// The daemon stops and names what mends it; where it cannot know, the change is undone.
    async fn stops(&mut self, end: &str, back: String, new: &str) -> String {
        let mut stops = 0;
        loop {
            self.look();
            let Some(daemon) = self.daemon.take() else {
                self.start(None);
                self.excused = true;
                continue;
            };
            let Some(message) = self.stops_or_dies(daemon).await else {
                continue;
            };
            let names =
                |statement: &&String| statement.contains("RENAME") && statement.contains(new);
            if let Some(mend) = statements(&message, end).iter().find(names) {
                self.mended += 1;
                return mend.clone();
            }
            // MySQL numbers no columns, so one like others may be any of them; and on Postgres one that
            // came anew just before is not known by its number yet.
            let lost = ["has lost its column", "is gone"];
            if lost.iter().any(|text| message.contains(text)) {
                return back;
            }
            // It was about to stop for what has been undone since.
            stops += 1;
            assert!(stops < 4, "no word of {new}\n{}", self.told());
        }
    }

    /// What it says at its stop; nothing where it came to a place first at which it was to die.
    async fn stops_or_dies(&mut self, mut daemon: Process) -> Option<String> {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            match daemon.status() {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
            assert!(Instant::now() < deadline, "no stop\n{}", self.told());
        };
        self.diary.push(format!("ended with {status}"));
        if status.signal() == Some(SIGKILL) {
            return None;
        }
        let message = self.stand.stopped(daemon).await;
        self.diary.push(format!("stopped: {message}"));
        Some(message)
    }

    async fn alters_target(&mut self) {
        let sql = self.target.quiet(&mut self.rng);
        self.stand.storefront.open_for(10);
        self.run(Side::Target, &sql).await;
    }

    async fn renames_in_target(&mut self) {
        let [sql, back, new] = self.target.renaming(&mut self.rng);
        self.excused = true;
        self.stand.storefront.open_for(10);
        self.run(Side::Target, &sql).await;
        let more = self.rng.u64(1..8);
        self.stand.storefront.sells(more).await;
        self.look();
        let mut mend = back;
        if self.rng.u32(..3) > 0 {
            mend = self.stops("target", mend, &new).await;
        }
        self.run(Side::Target, &mend).await;
    }

    async fn ends(mut self) {
        let told = self.diary.join("\n");
        // Whatever it was about to do, the next one has to do.
        drop(self.daemon.take());
        let mut daemon = self.stand.cartage.start(&["run"], None);
        self.stand.judge(&mut daemon, &told).await;
        println!("{} steps, {} mended", self.diary.len(), self.mended);
        self.stand.close(daemon).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres() {
    for seed in seeds() {
        println!("schemas, from Postgres: CARTAGE_SEED={seed}");
        let name = format!("hunt_p_{seed}");
        let old = Shop::create(Kind::Postgres, Side::Source, &name).await;
        let new = Shop::create(onto(seed), Side::Target, &name).await;
        Hunt::play(Stand::open(&name, old, new, seed).await, seed).await;
    }
}

/// One seed after the other goes to either kind.
fn onto(seed: u64) -> Kind {
    match seed % 2 {
        0 => Kind::Postgres,
        _ => Kind::Mysql,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_mysql() {
    let programs = Programs::usual().unwrap();
    let options = Options::default().with_ids(programs.flavor);
    // Of its own, for the log's settings are drawn too.
    let server = Server::start_of(programs, options).await.unwrap();
    for seed in seeds() {
        println!("schemas, from MySQL: CARTAGE_SEED={seed}");
        let metadata = ["MINIMAL", "FULL"][(seed / 2 % 2) as usize];
        let set = format!("SET GLOBAL binlog_row_metadata = '{metadata}'");
        server.run(&set).await.unwrap();
        if server.programs().flavor == cartage::mysql::connect::Flavor::MariaDb {
            let two = ["OFF", "ON"][(seed / 4 % 2) as usize];
            let set = format!("SET GLOBAL binlog_alter_two_phase = {two}");
            server.run(&set).await.unwrap();
        }
        let name = format!("hunt_m_{seed}");
        let old = Shop::on(&server, &name).await;
        let new = match onto(seed) {
            Kind::Postgres => Shop::create(Kind::Postgres, Side::Target, &name).await,
            Kind::Mysql => Shop::on(mysql::shops(Side::Target), &name).await,
        };
        Hunt::play(Stand::open(&name, old, new, seed).await, seed).await;
    }
}
