//! A scenario as its folder says it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cartage::config::Kind;
use serde::Deserialize;

use super::pair::Pair;
use super::preset;
use super::statements::{self, Step};

/// What the end must be, beside the oracle (`expect.toml`; each key may be left out). What is otherwise
/// where a side is MySQL or MariaDB stands in `[mysql_source]` and `[mysql_target]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// How often the daemon is killed on the way.
    pub kills: usize,
    /// Carts held at the end.
    pub held: i64,
    /// What the message of each of them says.
    pub held_message: String,
    /// Source changes that came too late, because the new backend had finished with the cart.
    pub late: i64,
    /// Patches committed in all, at least and at most.
    pub min_patches: Option<i64>,
    pub max_patches: Option<i64>,
    /// The workload begins only when the backfill is done; otherwise both run at once.
    pub backfill_first: bool,
    /// Whether `cartage verify` must find all carts equal at the end.
    pub verify: bool,
    /// Parts of log lines at WARN or ERROR that this scenario provokes.
    pub allow: Vec<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            kills: 2,
            held: 0,
            held_message: String::new(),
            late: 0,
            min_patches: None,
            max_patches: None,
            backfill_first: false,
            verify: true,
            allow: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Source,
    Target,
}

/// What one session does, one step after the other.
#[derive(Debug)]
pub struct Session {
    pub file: String,
    pub side: Side,
    pub steps: Vec<Step>,
}

/// What happens between two moments of rest.
#[derive(Debug, Default)]
pub struct Stage {
    /// The configuration that the daemon is stopped for and started with.
    pub config: Option<String>,
    /// They run at once.
    pub sessions: Vec<Session>,
}

#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    pub pair: Pair,
    pub source: String,
    pub target: String,
    pub config: String,
    /// In order; each begins when all of the one before has arrived.
    pub stages: Vec<Stage>,
    pub oracle_source: String,
    pub oracle_target: String,
    pub expect: Expect,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// All folders.
pub fn names() -> Vec<String> {
    fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The pairs between which a folder has both schemas, by their letters.
pub fn pairs(name: &str) -> BTreeSet<String> {
    let folder = root().join(name);
    let kinds = |file: &str| {
        let letters = [('p', file.to_owned()), ('m', format!("mysql/{file}"))];
        let there = letters
            .into_iter()
            .filter(|(_, file)| folder.join(file).exists());
        there.map(|(letter, _)| letter).collect::<Vec<_>>()
    };
    let targets = kinds("target.sql");
    let pairs = kinds("source.sql").into_iter().flat_map(|source| {
        let pair = move |target: &char| format!("{source}{target}");
        targets.iter().map(pair).collect::<Vec<_>>()
    });
    pairs.collect()
}

impl Scenario {
    /// Between two Postgres servers.
    pub fn load(name: &str) -> Self {
        Self::between(Pair::named("pp"), name)
    }

    pub fn between(pair: Pair, name: &str) -> Self {
        let folder = Folder(root().join(name));
        let schema = |side: Side, file: &str| match pair.of(side) {
            Kind::Postgres => folder.schema(file),
            Kind::Mysql => folder.schema(&format!("mysql/{file}")),
        };
        Self {
            name: name.to_string(),
            pair,
            source: schema(Side::Source, "source.sql"),
            target: schema(Side::Target, "target.sql"),
            config: folder.config(name),
            stages: folder.stages(pair),
            oracle_source: folder.read_for(pair.source, "oracle_source.sql"),
            oracle_target: folder.read_for(pair.target, "oracle_target.sql"),
            expect: folder.expect(pair),
        }
    }
}

struct Folder(PathBuf);

impl Folder {
    fn read(&self, file: &str) -> String {
        let path = self.0.join(file);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// The scenario's own configuration, else the shipped one that it is named after.
    fn config(&self, name: &str) -> String {
        match self.0.join("cartage.toml").exists() {
            true => self.read("cartage.toml"),
            false => preset::template(name),
        }
    }

    /// A line `-- platform NAME` stands for the tables of that platform.
    fn schema(&self, file: &str) -> String {
        let line = |line: &str| match line.strip_prefix("-- platform ") {
            Some(platform) => preset::tables(platform.trim()),
            None => format!("{line}\n"),
        };
        self.read(file).lines().map(line).collect()
    }

    /// In the words of this kind of server, if it has its own.
    fn read_for(&self, kind: Kind, file: &str) -> String {
        let own = format!("mysql/{file}");
        match kind == Kind::Mysql && self.0.join(&own).exists() {
            true => self.read(&own),
            false => self.read(file),
        }
    }

    fn expect(&self, pair: Pair) -> Expect {
        if !self.0.join("expect.toml").exists() {
            return Expect::default();
        }
        let bad = |e: toml::de::Error| -> ! { panic!("{}/expect.toml: {e}", self.0.display()) };
        let text = self.read("expect.toml");
        let mut all: toml::Table = toml::from_str(&text).unwrap_or_else(|e| bad(e));
        for (side, section) in [(pair.source, "mysql_source"), (pair.target, "mysql_target")] {
            let other = all.remove(section);
            if let (Kind::Mysql, Some(toml::Value::Table(other))) = (side, other) {
                all.extend(other);
            }
        }
        all.try_into().unwrap_or_else(|e| bad(e))
    }

    fn stages(&self, pair: Pair) -> Vec<Stage> {
        let session = |file: &str, place: &str, side: Side| Session {
            file: file.to_owned(),
            side,
            steps: statements::steps(&self.read_for(pair.of(side), place)),
        };
        let (single, folder) = ("workload.sql", self.0.join("workload"));
        if !folder.exists() {
            let sessions = vec![session(single, single, Side::Source)];
            return vec![Stage {
                config: None,
                sessions,
            }];
        }
        let mut stages: BTreeMap<u32, Stage> = BTreeMap::new();
        for file in files(&folder) {
            let place = format!("workload/{file}");
            if let Some(stage) = file.strip_suffix("-config.toml") {
                let stage = stages.entry(stage.parse().unwrap()).or_default();
                stage.config = Some(self.read(&place));
                continue;
            }
            let (stage, side) =
                stage(&file).unwrap_or_else(|| panic!("{place}: not N-source or N-target"));
            let stage = stages.entry(stage).or_default();
            stage.sessions.push(session(&file, &place, side));
        }
        stages.into_values().collect()
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

/// `2-target-sale.sql` is stage 2, on the target.
fn stage(file: &str) -> Option<(u32, Side)> {
    let (number, rest) = file.strip_suffix(".sql")?.split_once('-')?;
    let side = match rest.split('-').next()? {
        "source" => Side::Source,
        "target" => Side::Target,
        _ => return None,
    };
    Some((number.parse().ok()?, side))
}
