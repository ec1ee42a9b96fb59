//! A scenario as its folder says it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::statements;

/// What the end must be, beside the oracle (`expect.toml`; each key may be left out).
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

/// Statements that one session runs, one after the other.
#[derive(Debug)]
pub struct Session {
    pub file: String,
    pub side: Side,
    pub statements: Vec<String>,
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

impl Scenario {
    pub fn load(name: &str) -> Self {
        let folder = root().join(name);
        let read = |file: &str| {
            fs::read_to_string(folder.join(file))
                .unwrap_or_else(|e| panic!("tests/scenarios/{name}/{file}: {e}"))
        };
        let expect = match folder.join("expect.toml").exists() {
            true => toml::from_str(&read("expect.toml"))
                .unwrap_or_else(|e| panic!("tests/scenarios/{name}/expect.toml: {e}")),
            false => Expect::default(),
        };
        let mut stages: BTreeMap<u32, Stage> = BTreeMap::new();
        if folder.join("workload.sql").exists() {
            let session = session("workload.sql", Side::Source, &read("workload.sql"));
            stages.entry(0).or_default().sessions.push(session);
        } else {
            let mut files: Vec<String> = fs::read_dir(folder.join("workload"))
                .unwrap_or_else(|e| panic!("tests/scenarios/{name}/workload: {e}"))
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            for file in files {
                if let Some(stage) = file.strip_suffix("-config.toml") {
                    let config = read(&format!("workload/{file}"));
                    stages.entry(stage.parse().unwrap()).or_default().config = Some(config);
                    continue;
                }
                let (stage, side) = stage(&file)
                    .unwrap_or_else(|| panic!("{name}/workload/{file}: not N-source or N-target"));
                let sql = read(&format!("workload/{file}"));
                stages
                    .entry(stage)
                    .or_default()
                    .sessions
                    .push(session(&file, side, &sql));
            }
        }
        Self {
            name: name.to_string(),
            source: read("source.sql"),
            target: read("target.sql"),
            config: read("cartage.toml"),
            stages: stages.into_values().collect(),
            oracle_source: read("oracle_source.sql"),
            oracle_target: read("oracle_target.sql"),
            expect,
        }
    }
}

fn session(file: &str, side: Side, sql: &str) -> Session {
    Session {
        file: file.to_string(),
        side,
        statements: statements::split(sql),
    }
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
