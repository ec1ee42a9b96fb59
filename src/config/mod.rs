//! The configuration file: what a cart is in the old shop and what it becomes in the new one.

pub mod beyond;
mod cart;
mod connection;
mod into;
mod load;
mod locate;
mod log;
mod lookup;
mod map;
mod mask;
mod metrics;
pub mod model;
pub mod policy;
mod reader;
mod reconcile;
mod repairs;
mod secret;
mod synthetic;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use toml::Spanned;

use crate::mapping::lookup::{End, Lack};
use crate::synthetic::plan::Plan;
pub(crate) use cart::alias_of;
pub use connection::{USUAL_BATCH_ROWS, usual_lanes};
pub(crate) use into::allocated_table;
pub use map::Map;
pub use model::Model;
pub use policy::Policy;
pub use reader::duration;
pub(crate) use reader::nearest;

/// One pipeline, as its TOML file says, with defaults filled in. Everything that an error may
/// have to point at keeps its span.
#[derive(Clone, Debug)]
pub struct Config {
    pub path: PathBuf,
    /// The file's text for diagnostics; secrets in it are overwritten.
    pub text: String,
    pub name: String,
    pub source: Endpoint,
    pub target: Endpoint,
    pub apply: Apply,
    pub refresh: Refresh,
    pub reconcile: Reconcile,
    pub watch: Watch,
    pub conflicts: Keep,
    pub log: Log,
    pub metrics: Metrics,
    pub synthetic: Option<Synthetic>,
    /// `[ids] secret`, read; none means that `setup` makes one.
    pub ids_secret: Option<Secret>,
    pub cart: Cart,
    pub rows: Vec<Rows>,
    pub maps: Vec<Map>,
    pub lookups: Vec<Lookup>,
    pub into: Vec<Into>,
    pub merge: Merge,
}

impl Config {
    /// Two replicas of one number drive each other out. Without one in the file it is made of the
    /// pipeline's name, so that it stays the same, and high, where nobody counts servers.
    pub fn server_id(&self) -> u32 {
        const LEAST: u32 = 4_000_000_000;
        self.source.server_id.unwrap_or_else(|| {
            let hash = Sha256::digest(self.name.as_bytes());
            let [a, b, c, d, ..] = hash.as_slice() else {
                return LEAST;
            };
            LEAST + u32::from_be_bytes([*a, *b, *c, *d]) % (u32::MAX - LEAST)
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Mysql,
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// `[source]` or `[target]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub kind: Kind,
    /// May hold a user, a password and several hosts; never printed.
    pub url: Secret,
    pub password: Option<Secret>,
    pub tls: Tls,
    pub connect_timeout: Duration,
    pub application_name: Option<String>,
    /// What zoneless dates mean (default UTC).
    pub time_zone: String,
    /// As whom a MySQL source knows us among its replicas, where it is given; see
    /// [`Config::server_id`].
    pub server_id: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    pub mode: TlsMode,
    /// PEM of the authorities to trust; none means the system's.
    pub ca: Option<PathBuf>,
    /// PEM client certificate and key.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Apply {
    pub lanes: usize,
    pub batch_rows: usize,
    pub batch_delay: Duration,
    pub drain_timeout: Duration,
    /// Larger source transactions are applied in parts.
    pub transaction_rows: usize,
    /// The folder for what of a source transaction does not fit into memory.
    pub scratch: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Refresh {
    pub rows_per_second: Option<u64>,
    pub chunk_carts: usize,
    pub parallel: usize,
    /// Wait while more than so many sessions of the source are active.
    pub max_active: Option<u32>,
    /// Wait while a standby of the source replays later than this.
    pub max_replica_lag: Option<Duration>,
    /// A query that returns one number, and the greatest value at which reading goes on.
    pub guard: Option<(String, f64)>,
    /// How often a lookup that found nothing is asked again for a cart that was mapped without;
    /// zero means never.
    pub ask_again: Duration,
}

/// `[reconcile]`: the verification that the daemon does by itself, and how fast any may read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconcile {
    /// How often one begins; never where it is not given.
    pub every: Option<Duration>,
    /// So many carts, chosen at random; else all.
    pub sample: Option<u64>,
    /// Carts that differ are read again and written.
    pub repair: bool,
    /// Rows a second, and when to wait. Without a rate the daemon takes [`Reconcile::USUAL_RATE`], and
    /// a command reads as fast as it can.
    pub rates: Refresh,
    /// What is compared beside the mapped columns of each row.
    pub beyond: beyond::Beyond,
    pub repairs: Repairs,
    /// How long what was verified and repaired is kept.
    pub keep_for: Duration,
}

impl Reconcile {
    /// Source rows a second that the daemon reads, where the file says nothing.
    pub const USUAL_RATE: u64 = 10_000;
}

/// What of a configuration can change while the daemon runs, but for the log's levels.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    pub refresh: Refresh,
    pub reconcile: Reconcile,
}

/// `[reconcile]`, as far as it is about repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repairs {
    /// Carts that are repaired a second, whoever asks.
    pub per_second: u32,
    /// The daemon puts back carts whose header is gone from the target, too.
    pub restore_deleted: bool,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or several for modules apart, in the words of `RUST_LOG`.
    pub level: String,
}

/// `[metrics]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Where the daemon serves its figures; none means nowhere.
    pub listen: Option<SocketAddr>,
}

/// `[synthetic]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synthetic {
    /// How often a cart is made.
    pub every: Duration,
    /// How long each step may take until it is seen in the target.
    pub deadline: Duration,
    pub plan: Plan,
}

/// `[watch]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// How often the slot, the publication and both schemas are looked at.
    pub every: Duration,
    /// How long a start waits for a slot that something else reads.
    pub slot_wait: Duration,
}

/// `[conflicts]`: which records of conflicts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Those that were found within so long.
    pub keep_for: Duration,
    /// The latest so many of them.
    pub keep_at_most: u64,
}

/// `[cart]`.
#[derive(Clone, Debug)]
pub struct Cart {
    pub table: Spanned<String>,
    /// Empty means the primary key.
    pub key: Vec<Spanned<String>>,
    /// What tells the rows of `table` apart where carts have no header row; empty means the primary
    /// key.
    pub row_key: Vec<Spanned<String>>,
    pub live: Option<Spanned<String>>,
    pub changed_at: Option<Spanned<String>>,
}

/// One entry of `[cart.rows]`.
#[derive(Clone, Debug)]
pub struct Rows {
    pub alias: Spanned<String>,
    pub table: Spanned<String>,
    /// Empty means the primary key.
    pub key: Vec<Spanned<String>>,
    pub cart: Vec<Spanned<String>>,
    pub parent: Option<Spanned<String>>,
    pub by: Vec<Spanned<String>>,
}

/// One `[lookup.NAME]`.
#[derive(Clone, Debug)]
pub struct Lookup {
    pub name: Spanned<String>,
    pub on: End,
    pub table: Spanned<String>,
    pub matches: Vec<Spanned<String>>,
    pub get: Vec<Spanned<String>>,
    pub filter: Option<Spanned<String>>,
    pub missing: Lack,
    pub ambiguous: Lack,
    /// How long an answer that was found serves other carts.
    pub cache: Duration,
}

/// One `[[into]]`.
#[derive(Clone, Debug)]
pub struct Into {
    pub table: Spanned<String>,
    /// The source table whose rows are mapped; of `each(…)` that whose rows hold the payload.
    pub per: Spanned<String>,
    pub each: Option<Each>,
    /// Expressions by which rows of `per` become one target row.
    pub group: Vec<Spanned<String>>,
    pub role: crate::mapping::plan::Role,
    /// `row`, `xmin`, or a column.
    pub lock: Spanned<String>,
    pub filter: Option<Spanned<String>>,
    pub closed: Option<Spanned<String>>,
    pub ended: Option<Fate>,
    pub deleted: Option<Fate>,
    pub line: Option<Line>,
    pub columns: Vec<Column>,
}

/// `per = "each(EXPR)"`: one row for each element of a payload.
#[derive(Clone, Debug)]
pub struct Each {
    /// As it stands in the file.
    pub written: Spanned<String>,
    /// Where the payload's expression stands in it.
    pub payload: std::ops::Range<usize>,
}

impl Each {
    pub fn payload(&self) -> &str {
        self.written
            .get_ref()
            .get(self.payload.clone())
            .unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub enum Fate {
    Delete,
    Keep,
    Set(Vec<(Spanned<String>, Spanned<String>)>),
}

#[derive(Clone, Debug)]
pub struct Line {
    pub product: Spanned<String>,
    pub quantity: Spanned<String>,
    pub max_quantity: i64,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: Spanned<String>,
    pub value: Spanned<String>,
    pub key: bool,
    pub once: bool,
    pub merge: Option<FieldRule>,
    /// The target's sequence gives it; `value` is the call that this is short for.
    pub allocated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityRule {
    Both,
    Latest,
    Max,
    Sum,
    Source,
    Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldRule {
    Latest,
    Source,
    Target,
}

/// `[merge]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    pub quantity: QuantityRule,
    pub fields: FieldRule,
}

impl Config {
    /// What a running daemon takes from the file again.
    pub fn rates(&self) -> Rates {
        Rates {
            refresh: self.refresh.clone(),
            reconcile: self.reconcile.clone(),
        }
    }

    /// The parts that differ in another state of the file and that a running daemon cannot take.
    pub fn differences(&self, other: &Config) -> Vec<&'static str> {
        let parts = [
            ("name", self.name != other.name),
            ("[source]", self.source != other.source),
            ("[target]", self.target != other.target),
            ("[apply]", self.apply != other.apply),
            (
                "[reconcile] token, sums, own, min_quantity or foreign_lines",
                self.reconcile.beyond != other.reconcile.beyond,
            ),
            ("[watch]", self.watch != other.watch),
            ("[conflicts]", self.conflicts != other.conflicts),
            ("[metrics]", self.metrics != other.metrics),
            ("[synthetic]", self.synthetic != other.synthetic),
            ("[ids]", self.ids_secret != other.ids_secret),
            (
                "[cart], [map], [[into]] or [merge]",
                self.mapping_text() != other.mapping_text(),
            ),
        ];
        let differing = parts.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(part, _)| part).collect()
    }

    /// The tables of an end that lookups ask, as named in the file.
    pub fn lookup_tables(&self, end: End) -> Vec<String> {
        let asked = self.lookups.iter().filter(|lookup| lookup.on == end);
        asked.map(|lookup| lookup.table.get_ref().clone()).collect()
    }

    /// All source tables that the mapping is compiled against: its own and those that it asks.
    pub fn source_schema(&self) -> Vec<String> {
        with(self.source_tables(), self.lookup_tables(End::Source))
    }

    /// All target tables that the mapping is compiled against.
    pub fn target_schema(&self) -> Vec<String> {
        with(self.target_tables(), self.lookup_tables(End::Target))
    }

    /// The source tables that the pipeline reads, as named in the file.
    pub fn source_tables(&self) -> Vec<String> {
        let rows = self.rows.iter().map(|rows| rows.table.get_ref().clone());
        std::iter::once(self.cart.table.get_ref().clone())
            .chain(rows)
            .collect()
    }

    /// The target tables that the pipeline writes, as named in the file.
    pub fn target_tables(&self) -> Vec<String> {
        self.into
            .iter()
            .map(|into| into.table.get_ref().clone())
            .collect()
    }
}

/// Each table once.
fn with(mut tables: Vec<String>, others: Vec<String>) -> Vec<String> {
    for other in others {
        if !tables.contains(&other) {
            tables.push(other);
        }
    }
    tables
}
