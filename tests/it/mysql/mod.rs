//! MySQL and MariaDB: sessions, catalogs and values, against every server that this machine has.

mod catalog;
mod control;
mod kills;
mod locks;
mod lost_log;
mod pipeline;
mod reads;
mod pushdown;
mod rows;
mod schema;
mod sessions;
mod silence;
mod source_checks;
mod target;
mod tls;
mod values;

use std::sync::OnceLock;
use std::time::Duration;

use cartage::config::{Endpoint, Kind, Secret, Tls, TlsMode};
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::connect::{Flavor, Session, connect};

use crate::scenario::folder::Side;

/// One server of each kind, shared by the tests here; each test has a database of its own.
fn servers() -> &'static [Server] {
    static SERVERS: OnceLock<Vec<Server>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        // A runtime of its own: the caller may be inside one.
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let mut servers = Vec::new();
                for programs in Programs::all().unwrap() {
                    servers.push(
                        Server::start_of(programs, Options::default())
                            .await
                            .unwrap(),
                    );
                }
                servers
            })
        })
        .join()
        .unwrap()
    })
}

/// The server that plays all old shops, and the one that plays all new ones: of the usual programs.
pub fn shops(side: Side) -> &'static Server {
    static SERVERS: OnceLock<[Server; 2]> = OnceLock::new();
    let [source, target] = SERVERS.get_or_init(|| {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let options = match has_ids() {
                    true => Options::default().with_ids(Programs::usual().unwrap().flavor),
                    false => Options::default(),
                };
                let options = options.setting("max_connections", "500");
                let source = Server::start(options.clone()).await.unwrap();
                [source, Server::start(options.server_id(2)).await.unwrap()]
            })
        })
        .join()
        .unwrap()
    });
    match side {
        Side::Source => source,
        Side::Target => target,
    }
}

/// Whether transactions of the old shops on MySQL get ids; MariaDB's always have some.
fn has_ids() -> bool {
    std::env::var("CARTAGE_MYSQL_IDS").as_deref() != Ok("off")
}

pub fn endpoint(url: String) -> Endpoint {
    Endpoint {
        kind: Kind::Mysql,
        url: Secret(url),
        password: None,
        tls: Tls {
            mode: TlsMode::Prefer,
            ca: None,
            certificate: None,
            key: None,
        },
        connect_timeout: Duration::from_secs(10),
        application_name: None,
        time_zone: "UTC".into(),
        server_id: None,
    }
}

/// Has the server forget its whole log, as only some mishap does.
pub async fn forgets(server: &Server) -> &'static str {
    let session = connect(&endpoint(server.url("mysql")), "test")
        .await
        .unwrap();
    let server = &session.server;
    match server.flavor == Flavor::MySql && server.version >= (8, 4, 0) {
        true => "RESET BINARY LOGS AND GTIDS",
        false => "RESET MASTER",
    }
}

/// What lets a user log a statement that does nothing.
pub async fn marks(server: &Server) -> &'static str {
    let session = connect(&endpoint(server.url("mysql")), "test")
        .await
        .unwrap();
    match session.server.version >= (8, 0, 23) {
        true => "FLUSH_OPTIMIZER_COSTS",
        false => "RELOAD",
    }
}

/// A session in a new database of this name, in which the statements were run.
async fn session(server: &Server, database: &str, sql: &str) -> Session {
    let made = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
    server.run(&made).await.unwrap();
    server.run(&format!("USE {database}; {sql}")).await.unwrap();
    let endpoint = endpoint(server.url(database));
    connect(&endpoint, "test").await.unwrap()
}
