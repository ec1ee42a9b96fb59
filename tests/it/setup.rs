//! `check`, `setup` and `teardown` on a real server, with the mistakes that people make.

use std::path::Path;
use std::process::ExitCode;

use cartage::check::{self, Report, Verdict};
use cartage::cli::setup::{self, SetupArgs};
use cartage::cli::teardown::{self, TeardownArgs};
use cartage::config::Config;
use cartage::demo::cluster::{Cluster, Options};
use cartage::postgres::catalog::{Catalog, ReplicaIdentity, TableKind};
use cartage::postgres::connect::connect;
use cartage::source::change::Lsn;
use cartage::source::postgres::identity::{self, IdentityError};
use cartage::source::postgres::outline::{self, Outline};
use cartage::source::postgres::{publication, slot};
use cartage::target::control::pipeline;
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
    target: Client,
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
            target,
        }
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
        let source = connect(&self.config.source, "check").await.unwrap();
        let target = connect(&self.config.target, "check").await.unwrap();
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
        let row = pipeline::load(&self.target, "shop").await.unwrap().unwrap();
        let verified = identity::verify(&self.source, &row, &self.outline().await.layout).await?;
        let checkpoint = pipeline::checkpoint(&self.target, row.id)
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

/// Everything that the catalogs hold besides the system's own, by name.
async fn traces(client: &Client) -> Vec<String> {
    let sql = "
        SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
        UNION ALL SELECT 'relation ' || c.oid::regclass::text || ' ' || c.relreplident::text
                  FROM pg_class c WHERE c.oid >= 16384
                  AND c.relnamespace <> 'pg_toast'::regnamespace
        UNION ALL SELECT 'function ' || oid::regprocedure::text FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'type ' || oid::regtype::text FROM pg_type WHERE oid >= 16384
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
        UNION ALL SELECT 'publication ' || pubname FROM pg_publication
        UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
        UNION ALL SELECT 'role ' || rolname FROM pg_roles
        UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin
        ORDER BY 1";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn setup_twice_is_setup_once_and_teardown_leaves_nothing() {
    let ends = Ends::start(Options::default()).await;
    let before = (traces(&ends.source).await, traces(&ends.target).await);

    let report = ends.check().await;
    assert!(report.is_well(), "{}", report.text());
    found(&report, "slot", Verdict::Todo);
    found(&report, "publication", Verdict::Todo);

    ends.setup().await;
    let first = pipeline::load(&ends.target, "shop").await.unwrap().unwrap();
    let at = pipeline::checkpoint(&ends.target, first.id).await.unwrap();
    let found_slot = slot::find(&ends.source, "cartage_shop").await.unwrap();
    assert_eq!(at, found_slot.unwrap().confirmed);
    assert_eq!(first.ids_secret.as_ref().unwrap().0.len(), 32);
    assert_eq!(first.mapping, None);

    ends.setup().await;
    let second = pipeline::load(&ends.target, "shop").await.unwrap().unwrap();
    assert_eq!(first.ids_secret, second.ids_secret);
    assert_eq!(
        at,
        pipeline::checkpoint(&ends.target, first.id).await.unwrap()
    );
    assert_eq!(ends.runs().await, 0);
    let verified = ends.verify().await.unwrap();
    assert_eq!(verified.changes, []);
    let report = ends.check().await;
    assert!(report.is_well(), "{}", report.text());
    assert_eq!(report.count(Verdict::Todo), 0, "{}", report.text());

    ends.teardown().await;
    assert_eq!(before.0, traces(&ends.source).await);
    assert_eq!(before.1, traces(&ends.target).await);
    ends.teardown().await;
}

#[tokio::test]
async fn every_control_column_has_a_comment() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    let sql = "
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'cartage'::regnamespace AND c.relkind = 'r'
          AND (obj_description(c.oid, 'pg_class') IS NULL
               OR col_description(c.oid, a.attnum) IS NULL)";
    let bare = ends.target.query(sql, &[]).await.unwrap();
    let bare: Vec<String> = bare.iter().map(|row| row.get(0)).collect();
    assert_eq!(bare, [""; 0]);
}

#[tokio::test]
async fn the_catalog_is_read_as_it_is() {
    let ends = Ends::start(Options::default()).await;
    ends.old(
        "CREATE SCHEMA other; CREATE TABLE other.orders (id integer);
              ALTER TABLE items ADD twice text GENERATED ALWAYS AS (sku || sku) STORED;
              CREATE UNIQUE INDEX ON items (order_id, sku);
              CREATE UNIQUE INDEX ON items (sku) WHERE sku <> '';
              CREATE UNIQUE INDEX by_state ON orders (state, id);
              ALTER TABLE orders REPLICA IDENTITY USING INDEX by_state;",
    )
    .await;
    let names = [
        "orders",
        "items",
        "notes",
        "notes_1",
        "other.orders",
        "absent",
    ];
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let catalog = Catalog::read(&ends.source, &names).await.unwrap();
    assert_eq!(catalog.tables.len(), 5);
    assert!(catalog.find("absent").is_none());
    assert_eq!(catalog.find("other.orders").unwrap().columns.len(), 1);

    let orders = catalog.find("orders").unwrap();
    assert_eq!(orders.schema, "public");
    assert_eq!(orders.primary_key, ["id"]);
    assert_eq!(orders.column("state").unwrap().ty.labels, ["new", "cart"]);
    let total = orders.column("total").unwrap();
    assert_eq!(total.ty.numeric, Some((10, 2)));
    assert!(total.not_null, "by its domain");
    assert_eq!(
        orders.replica_identity,
        ReplicaIdentity::Index(vec!["state".into(), "id".into()])
    );

    let items = catalog.find("items").unwrap();
    assert_eq!(items.replica_identity, ReplicaIdentity::Full);
    assert_eq!(
        items.uniques.len(),
        2,
        "not the partial one: {:?}",
        items.uniques
    );
    assert!(items.column("twice").unwrap().generated);
    assert!(items.foreign_keys[0].enforced && items.foreign_keys[0].on_delete_cascade);
    assert_eq!(items.foreign_keys[0].referenced, ["id"]);

    assert_eq!(catalog.find("notes").unwrap().kind, TableKind::Partitioned);
    assert_eq!(catalog.find("notes_1").unwrap().kind, TableKind::Leaf);
}

#[tokio::test]
async fn a_log_level_of_replica_is_found_and_refused() {
    let ends = Ends::start(Options::default().setting("wal_level", "replica")).await;
    let finding = found(&ends.check().await, "log level", Verdict::Fail);
    assert_eq!(finding.sql.unwrap(), "ALTER SYSTEM SET wal_level = logical");
    assert!(ends.refused().await.contains("wal_level"));
}

#[tokio::test]
async fn a_replica_identity_without_the_cart_is_found_on_tables_and_partitions() {
    let ends = Ends::start(Options::default()).await;
    ends.old(
        "ALTER TABLE items REPLICA IDENTITY DEFAULT;
              ALTER TABLE notes_2 REPLICA IDENTITY NOTHING",
    )
    .await;
    let report = ends.check().await;
    let sql = report.sql();
    assert!(
        sql.contains("ALTER TABLE public.items REPLICA IDENTITY FULL;"),
        "{sql}"
    );
    assert!(
        sql.contains("ALTER TABLE public.notes_2 REPLICA IDENTITY FULL;"),
        "{sql}"
    );
    assert!(!sql.contains("notes_1"), "{sql}");
    assert!(ends.refused().await.contains("public.items"));
    // The printed statements mend it.
    ends.old(&sql).await;
    assert!(ends.check().await.is_well());
    ends.setup().await;
}

#[tokio::test]
async fn tables_that_are_missing_or_partitions_are_named() {
    let ends = Ends::start(Options::default()).await;
    ends.old("DROP TABLE notes").await;
    let finding = found(&ends.check().await, "source tables", Verdict::Fail);
    assert!(finding.message.contains("notes"), "{}", finding.message);
    assert!(ends.refused().await.contains("notes"));
    ends.old(
        "CREATE TABLE whole (id bigint, order_id bigint, PRIMARY KEY (id, order_id))
                  PARTITION BY RANGE (id);
              CREATE TABLE notes PARTITION OF whole DEFAULT",
    )
    .await;
    let finding = found(&ends.check().await, "source tables", Verdict::Fail);
    assert!(finding.message.contains("partition"), "{}", finding.message);

    ends.target.batch_execute("DROP TABLE line").await.unwrap();
    let finding = found(&ends.check().await, "target table", Verdict::Fail);
    assert!(finding.message.contains("line"), "{}", finding.message);
}

#[tokio::test]
async fn privileges_that_lack_are_printed_as_grants_that_mend_them() {
    let mut ends = Ends::start(Options::default()).await;
    ends.old("CREATE ROLE mover LOGIN").await;
    let with_role = |url: String| {
        url.replace("postgres@", "mover@")
            .replace("postgres:throwaway@", "mover@")
    };
    ends.config = config(
        &with_role(ends.cluster.url("old")),
        &with_role(ends.cluster.url("new")),
    );
    let report = ends.check().await;
    found(&report, "replication", Verdict::Fail);
    found(&report, "publication right", Verdict::Fail);
    found(&report, "read right", Verdict::Fail);
    found(&report, "write right", Verdict::Fail);
    found(&report, "control schema", Verdict::Fail);
    let sql = report.sql();
    let (source, target) = sql.split_once("-- on the target").unwrap();
    ends.old(source).await;
    let target = format!("--{target}");
    ends.target.batch_execute(&target).await.unwrap();
    // Publishing takes the owner of the tables: a superuser does it beforehand.
    found(&ends.check().await, "publication right", Verdict::Warn);
    assert!(ends.refused().await.contains("CREATE PUBLICATION"));
    let layout = ends.outline().await.layout;
    for sql in publication::statements("cartage_shop", None, &layout) {
        ends.old(&sql).await;
    }
    let report = ends.check().await;
    assert!(report.is_well(), "{}", report.text());
    ends.setup().await;
}

#[tokio::test]
async fn a_table_dropped_from_the_publication_stops_and_setup_mends_it() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    ends.old("ALTER PUBLICATION cartage_shop DROP TABLE items")
        .await;
    let error = ends.verify().await.unwrap_err().to_string();
    assert!(error.contains("public.items"), "{error}");
    assert!(error.contains("ADD TABLE public.items"), "{error}");
    found(&ends.check().await, "publication", Verdict::Fail);
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1, "changes may have passed meanwhile");

    // Filters and column lists are new in 15.
    if ends.cluster.version().await.unwrap() >= 150_000 {
        ends.old("ALTER PUBLICATION cartage_shop SET TABLE orders WHERE (id > 5), items (id, order_id), notes")
        .await;
        let error = ends.verify().await.unwrap_err().to_string();
        assert!(
            error.contains("filters the rows of public.orders"),
            "{error}"
        );
        assert!(
            error.contains("leaves out columns of public.items: sku, tags"),
            "{error}"
        );
    }
    ends.old("ALTER PUBLICATION cartage_shop SET (publish = 'insert', publish_via_partition_root = false)")
        .await;
    let error = ends.verify().await.unwrap_err().to_string();
    assert!(
        error.contains("leaves out update, delete, truncate"),
        "{error}"
    );
    ends.setup().await;
    ends.verify().await.unwrap();
    ends.old("DROP PUBLICATION cartage_shop").await;
    let error = ends.verify().await.unwrap_err();
    assert!(matches!(error, IdentityError::PublicationMissing(_)));
}

#[tokio::test]
async fn a_slot_that_was_dropped_or_made_anew_stops_and_setup_starts_over() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    ends.old("SELECT pg_drop_replication_slot('cartage_shop')")
        .await;
    assert!(matches!(
        ends.verify().await.unwrap_err(),
        IdentityError::SlotMissing(_)
    ));
    ends.old("INSERT INTO orders VALUES (1, 'cart', 'a', 1)")
        .await;
    slot::create(&ends.source, "cartage_shop").await.unwrap();
    assert!(matches!(
        ends.verify().await.unwrap_err(),
        IdentityError::SlotAhead { .. }
    ));
    found(&ends.check().await, "slot", Verdict::Fail);
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1);

    ends.old("SELECT pg_drop_replication_slot('cartage_shop')")
        .await;
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1, "the run before is over");

    ends.old(
        "SELECT pg_drop_replication_slot('cartage_shop');
              SELECT pg_create_logical_replication_slot('cartage_shop', 'test_decoding')",
    )
    .await;
    let error = ends.verify().await.unwrap_err().to_string();
    assert!(error.contains("test_decoding"), "{error}");
}

#[tokio::test]
async fn another_cluster_and_an_earlier_timeline_are_not_the_source() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    let set = |sql: &'static str| async { ends.target.batch_execute(sql).await.unwrap() };
    set("UPDATE cartage.pipeline SET source_timeline = 7").await;
    let error = ends.verify().await.unwrap_err();
    assert!(matches!(
        error,
        IdentityError::EarlierTimeline { was: 7, is: 1 }
    ));
    set("UPDATE cartage.pipeline SET source_timeline = 0").await;
    assert_eq!(
        ends.verify().await.unwrap().timeline,
        1,
        "as after a promotion"
    );
    // The other cluster's log had come further than this one's.
    set(
        "INSERT INTO cartage.ledger (pipeline, cart, state, lsn, seq, mapping, refreshed, image)
         SELECT id, '1', 'mirror', 'F/F', 3, 1, 'F/F', '' FROM cartage.pipeline",
    )
    .await;
    set("UPDATE cartage.pipeline SET source_system = '42'").await;
    let error = ends.verify().await.unwrap_err();
    assert!(matches!(error, IdentityError::OtherSystem { .. }));
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1);
    let sql = "SELECT count(*) FROM cartage.ledger l JOIN cartage.checkpoint c USING (pipeline)
               WHERE l.refreshed IS NULL AND l.lsn <= c.lsn AND l.seq = 0";
    let row = ends.target.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1, "the cart counts as unread");
}

#[tokio::test]
async fn what_happens_to_partitions_behind_the_log_is_seen() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    ends.old(
        "TRUNCATE notes_1; ALTER TABLE notes DETACH PARTITION notes_2;
              CREATE TABLE notes_3 PARTITION OF notes
                  FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
    )
    .await;
    let changes = ends.verify().await.unwrap().changes;
    let said: Vec<String> = changes
        .iter()
        .map(|c| format!("{} {}", c.table, c.what))
        .collect();
    assert_eq!(
        said,
        [
            "public.notes had its partition public.notes_1 truncated or rewritten",
            "public.notes lost its partition public.notes_2",
            "public.notes has a new partition public.notes_3",
        ]
    );
}

#[tokio::test]
async fn a_slot_in_use_names_its_process_and_is_not_torn_down() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    let program = ends.cluster.programs().join("pg_recvlogical");
    if !program.exists() {
        return; // Some packages hold the server alone.
    }
    let mut receiver = std::process::Command::new(program)
        .args([
            "-d",
            &ends.cluster.url("old"),
            "-S",
            "cartage_shop",
            "--start",
            "-f",
            "-",
        ])
        .args([
            "-o",
            "proto_version=1",
            "-o",
            "publication_names=cartage_shop",
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let pid = loop {
        let slot = slot::find(&ends.source, "cartage_shop")
            .await
            .unwrap()
            .unwrap();
        if let Some(pid) = slot.active_pid {
            break pid;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "the receiver never started"
        );
        tokio::task::yield_now().await;
    };
    let error = teardown::run(&ends.config, TeardownArgs { yes: true })
        .await
        .unwrap_err();
    assert_eq!(error.exit, 1);
    assert!(
        error.message.contains(&pid.to_string()),
        "{}",
        error.message
    );
    receiver.kill().unwrap();
    receiver.wait().unwrap();
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_is_done() {
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return;
    }
    let ends = Ends::start(Options::default()).await;
    let error = setup::run(&ends.config, SetupArgs { yes: false })
        .await
        .unwrap_err();
    assert_eq!(error.exit, 2);
    assert!(!pipeline::installed(&ends.target).await.unwrap());
    assert!(
        slot::find(&ends.source, "cartage_shop")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn an_expression_that_does_not_fit_is_a_failure_with_its_place() {
    let mut ends = Ends::start(Options::default()).await;
    ends.config = changed(&ends, "sku = \"sku\"", "sku = \"upper(skew)\"");
    let finding = found(&ends.check().await, "mapping", Verdict::Fail);
    assert!(finding.message.contains("skew"), "{}", finding.message);
    let place: Vec<&str> = finding.message.splitn(4, ':').collect();
    assert_eq!(place[0], "shop.toml");
    assert!(place[1].parse::<u32>().is_ok(), "{}", finding.message);

    ends.config = changed(&ends, "keyed_id(id)", "id");
    let report = ends.check().await;
    assert!(
        found(&report, "guessable id", Verdict::Warn)
            .message
            .contains("keyed_id")
    );
}

fn changed(ends: &Ends, from: &str, to: &str) -> Config {
    let text = ends.config.text.replace(from, to);
    Config::parse(&text, Path::new("shop.toml")).unwrap()
}

#[tokio::test]
async fn the_new_backends_triggers_and_missing_indexes_are_warned_of() {
    let ends = Ends::start(Options::default()).await;
    ends.target
        .batch_execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
             CREATE TRIGGER touch BEFORE UPDATE ON cart FOR EACH ROW EXECUTE FUNCTION touch();
             ALTER TABLE line ADD needed text NOT NULL",
        )
        .await
        .unwrap();
    let report = ends.check().await;
    assert!(
        found(&report, "triggers", Verdict::Warn)
            .message
            .contains("touch")
    );
    let finding = found(&report, "target column", Verdict::Fail);
    assert!(finding.message.contains("needed"), "{}", finding.message);
}

#[test]
fn names_of_slots() {
    assert_eq!(slot::name_of("old-to-new"), "cartage_old_to_new");
    assert_eq!("0/0".parse::<Lsn>().unwrap(), Lsn(0));
}
