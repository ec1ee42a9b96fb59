//! `cartage init` between real servers, for the platforms' own tables and for shops that nobody knows.

mod checks;
mod lookups;
mod meaning;
mod pairs;
mod unknown;

use std::path::Path;
use std::process::{Command, Stdio};

use cartage::config::Kind;

use crate::mysql::shops;
use crate::scenario::folder::Side;
use crate::scenario::servers::{self, shared};

/// A database on either side.
struct Sides {
    source: String,
    target: String,
}

/// What runs on which kind of server.
fn kind_of(platform: &str) -> Kind {
    match platform {
        "magento2" | "prestashop" | "woocommerce" | "opencart" => Kind::Mysql,
        _ => Kind::Postgres,
    }
}

impl Sides {
    /// `more` is done to the target's tables.
    async fn of_platforms(source: &str, target: &str, more: &str) -> Self {
        let name = format!("init_{source}_{target}");
        let tables = |platform: &str| {
            let folder = env!("CARGO_MANIFEST_DIR");
            std::fs::read_to_string(format!("{folder}/tests/platforms/{platform}.sql")).unwrap()
        };
        Self {
            source: database(Side::Source, kind_of(source), &name, &tables(source)).await,
            target: database(
                Side::Target,
                kind_of(target),
                &name,
                &format!("{}\n{more}", tables(target)),
            )
            .await,
        }
    }
}

/// The URL of a new database with these tables.
async fn database(side: Side, kind: Kind, name: &str, tables: &str) -> String {
    match kind {
        Kind::Postgres => {
            let server = shared().of(side);
            let admin = servers::connect(&server.url("postgres")).await;
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            admin.batch_execute(&drop).await.unwrap();
            let create = format!("CREATE DATABASE {name}");
            admin.batch_execute(&create).await.unwrap();
            let own = servers::connect(&server.url(name)).await;
            own.batch_execute(tables).await.unwrap();
            server.url(name)
        }
        Kind::Mysql => {
            let server = shops(side);
            let sql = format!(
                "DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}; USE {name}; {tables}"
            );
            server.run(&sql).await.unwrap();
            server.url(name)
        }
    }
}

/// Exit code, stdout and stderr.
fn init(sides: &Sides, more: &[&str]) -> (i32, String, String) {
    let (source, target) = (sides.source.as_str(), sides.target.as_str());
    let mut arguments = vec!["init", "--source", source, "--target", target];
    arguments.extend(more);
    run(Path::new("/nowhere/cartage.toml"), &arguments)
}

fn run(config: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
        .env("CARTAGE_CONFIG", config)
        .env_remove("RUST_LOG")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}
