//! `check`, `setup` and `teardown` on a real server, with the mistakes that people make.

mod catalog;
mod checks;

mod making;
mod trust;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use cartage::catalog::Catalog;
use cartage::check::{self, Report, Verdict};
use cartage::cli::setup::{self, SetupArgs};
use cartage::cli::teardown::{self, TeardownArgs};
use cartage::config::Config;
use cartage::demo::cluster::{Cluster, Options};
use cartage::source::Source;
use cartage::source::outline::{self, Outline};
use cartage::source::postgres::identity::{self, IdentityError};
use cartage::target::control::pipeline;
use cartage::target::session::Target;
use tokio_postgres::Client;
const OLD: &str = "
    CREATE TYPE mood AS ENUM ('new', 'cart');
    CREATE DOMAIN positive AS numeric(10,2) NOT NULL CHECK (value > 0);
    CREATE TABLE orders (
        id bigint PRIMARY KEY, state mood NOT NULL, email varchar(40), total positive);
    CREATE TABLE items (
        id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
        sku text, tags text[]);
    CREATE INDEX ON items (order_id);
    ALTER TABLE items REPLICA IDENTITY FULL;
    CREATE TABLE notes (
        id bigint, order_id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (id, order_id, day))
        PARTITION BY RANGE (day);
    CREATE TABLE notes_1 PARTITION OF notes FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE notes_2 PARTITION OF notes FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    CREATE INDEX ON notes (order_id);";
const NEW: &str = "
    CREATE TABLE cart (id text PRIMARY KEY, email text, version integer NOT NULL DEFAULT 1);
    CREATE TABLE line (
        id text PRIMARY KEY, cart_id text NOT NULL REFERENCES cart ON DELETE CASCADE, sku text);";

struct Ends {
    cluster: Cluster,
    config: Config,
    source: Client,
    target: Arc<Client>,
}

impl Ends {
    async fn start(options: Options) -> Self {
        let cluster = Cluster::start(options).await.unwrap();
        let admin = cluster.client("postgres").await.unwrap();
        admin.batch_execute("CREATE DATABASE old").await.unwrap();
        admin.batch_execute("CREATE DATABASE new").await.unwrap();
        let source = cluster.client("old").await.unwrap();
        let target = cluster.client("new").await.unwrap();
        source.batch_execute(OLD).await.unwrap();
        target.batch_execute(NEW).await.unwrap();
        let config = config(&cluster.url("old"), &cluster.url("new"));
        Self {
            cluster,
            config,
            source,
            target: Arc::new(target),
        }
    }

    /// The target as cartage asks it.
    fn control(&self) -> Target {
        Target::Postgres(self.target.clone())
    }

    async fn setup(&self) -> ExitCode {
        setup::run(&self.config, SetupArgs { yes: true })
            .await
            .unwrap()
    }

    async fn refused(&self) -> String {
        setup::run(&self.config, SetupArgs { yes: true })
            .await
            .unwrap_err()
            .message
    }

    async fn teardown(&self) -> ExitCode {
        teardown::run(&self.config, TeardownArgs { yes: true })
            .await
            .unwrap()
    }

    async fn check(&self) -> Report {
        let source = Source::connect(&self.config.source, "check").await.unwrap();
        let target = Target::connect(&self.config.target, "check").await.unwrap();
        let schemas = check::schemas(&self.config, &source, &target)
            .await
            .unwrap();
        check::run(&self.config, &source, &target, &schemas)
            .await
            .unwrap()
    }

    async fn outline(&self) -> Outline {
        let names = self.config.source_tables();
        let catalog = Catalog::read(&self.source, &names).await.unwrap();
        outline::outline(&self.config, &catalog)
    }

    async fn verify(&self) -> Result<identity::Verified, IdentityError> {
        let target = self.control();
        let row = pipeline::load(&target, "shop").await.unwrap().unwrap();
        let verified = identity::verify(&self.source, &row, &self.outline().await.layout).await?;
        let checkpoint = pipeline::checkpoint(&target, row.id)
            .await
            .unwrap()
            .unwrap();
        verified.reaches_back_to(checkpoint).map(|()| verified)
    }

    async fn old(&self, sql: &str) {
        self.source.batch_execute(sql).await.unwrap();
    }

    async fn runs(&self) -> i64 {
        let sql =
            "SELECT count(*) FROM cartage.refresh_run WHERE kind = 'all' AND finished_at IS NULL";
        self.target.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn config(source: &str, target: &str) -> Config {
    let text = format!(
        r#"
        name = "shop"
        [source]
        kind = "postgres"
        url = "{source}"
        [target]
        kind = "postgres"
        url = "{target}"
        [cart]
        table = "orders"
        [cart.rows]
        items = {{ cart = "order_id" }}
        notes = {{ cart = "order_id" }}
        [[into]]
        table = "cart"
        per = "orders"
        role = "header"
        lock = "version"
        [into.columns]
        id = {{ key = "keyed_id(id)" }}
        email = "email"
        [[into]]
        table = "line"
        per = "items"
        [into.columns]
        id = {{ key = "keyed_id(id)" }}
        cart_id = "keyed_id(order_id)"
        sku = "sku"
        "#
    );
    match Config::parse(&text, Path::new("shop.toml")) {
        Ok(config) => config,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

#[track_caller]
fn found(report: &Report, check: &str, verdict: Verdict) -> check::Finding {
    report
        .findings
        .iter()
        .find(|f| f.check == check && f.verdict == verdict)
        .unwrap_or_else(|| panic!("no {verdict:?} of {check} in\n{}", report.text()))
        .clone()
}
