//! `cartage check` of each shipped preset against the tables of its platforms: nothing fails; and where
//! a table is another than it was made for, just that is named (`altered.toml` of its scenario).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::scenario::daemon;
use crate::scenario::folder::{Scenario, Side};
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::preset;
use crate::scenario::shop::Shops;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Altered {
    altered: Vec<Alteration>,
}

/// A column is dropped, gets another type, or must hold something.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alteration {
    side: Where,
    sql: String,
    /// A part of each failure's message; in the order in which `check` tells them.
    failures: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Where {
    Source,
    Target,
}

/// The scenario of a preset, on the platforms' own kinds of server.
fn scenario(name: &str, pair: &str) -> Scenario {
    Scenario::between(Pair::named(pair), name)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

struct Ends {
    shops: Shops,
    config: PathBuf,
    _folder: tempfile::TempDir,
}

impl Ends {
    async fn create(scenario: &Scenario, database: &str) -> Self {
        let shops = create(scenario, database).await;
        let folder = tempfile::tempdir().unwrap();
        let config = write(scenario, &scenario.config, &shops, folder.path());
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    /// The messages of what fails.
    fn failures(&self) -> Vec<String> {
        let report = daemon::json(&self.config, &["check", "--json"]);
        let checks = report["checks"].as_array().unwrap();
        assert!(!checks.is_empty(), "{report}");
        let failed = checks.iter().filter(|check| check["verdict"] == "fail");
        let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        let message =
            |check: &Value| format!("{}: {}", word(check, "check"), word(check, "message"));
        failed.map(message).collect()
    }
}

async fn fits(name: &str, pair: &str) {
    let scenario = scenario(name, pair);
    let ends = Ends::create(&scenario, &format!("fits_{name}")).await;
    assert_eq!(ends.failures(), Vec::<String>::new());
}

/// Each alteration is made to tables as they were.
async fn names_what_is_altered(name: &str, pair: &str) {
    let scenario = scenario(name, pair);
    let file = root()
        .join("tests/scenarios")
        .join(name)
        .join("altered.toml");
    let altered: Altered = toml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert!(altered.altered.len() >= 3, "{name}");
    for alteration in &altered.altered {
        let ends = Ends::create(&scenario, &format!("altered_{name}")).await;
        let side = match alteration.side {
            Where::Source => Side::Source,
            Where::Target => Side::Target,
        };
        let done = ends.shops.of(side).session.run(&alteration.sql).await;
        done.unwrap_or_else(|e| panic!("{name}: {e}: {}", alteration.sql));
        let failures = ends.failures();
        let expected = &alteration.failures;
        let all = failures.len() == expected.len()
            && failures.iter().zip(expected).all(|(f, e)| f.contains(e));
        assert!(
            all,
            "{name} after {}: expected {expected:#?}, found {failures:#?}",
            alteration.sql
        );
    }
}

/// Two tests for each preset, and the list of them.
macro_rules! presets {
    ($($name:ident $pair:ident)*) => {
        $(mod $name {
            #[tokio::test]
            async fn fits() {
                super::fits(stringify!($name), stringify!($pair)).await;
            }

            #[tokio::test]
            async fn names_what_is_altered() {
                super::names_what_is_altered(stringify!($name), stringify!($pair)).await;
            }
        })*
        const PRESETS: &[&str] = &[$(stringify!($name)),*];
    };
}

presets! {
    preset_magento2_to_medusa mp
    preset_opencart_to_saleor mp
    preset_prestashop_to_vendure mp
    preset_spree_to_saleor pp
    preset_woocommerce_to_medusa mp
}

/// What `config/` holds beside the example is a preset, and tested; the guide tells of it.
#[test]
fn each_preset_is_tested_and_told_of() {
    let files = fs::read_dir(root().join("config")).unwrap();
    let mut files: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|file| file.contains("-to-"))
        .map(|file| format!("config/{file}"))
        .collect();
    files.sort();
    let tested: Vec<String> = PRESETS.iter().map(|name| preset::file(name)).collect();
    assert_eq!(files, tested);
    let guide = fs::read_to_string(root().join("docs/presets.md")).unwrap();
    for file in &files {
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        assert!(
            guide.contains(name),
            "docs/presets.md says nothing of {name}"
        );
    }
}
