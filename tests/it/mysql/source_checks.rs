//! `check` of an old backend on MySQL or MariaDB: what is wrong by its name, and the statement that is
//! printed mends it.

use std::path::Path;

use cartage::check::{self, End, Finding, Verdict};
use cartage::config::Config;
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::connect::Flavor;
use cartage::source::Source;
use cartage::target::session::Target;

const OLD: &str = "
    CREATE DATABASE old; USE old;
    CREATE TABLE quote (id INT PRIMARY KEY, email VARCHAR(60), made DATETIME);
    CREATE TABLE quote_item (
        id INT PRIMARY KEY, quote_id INT NOT NULL, sku VARCHAR(40), KEY (quote_id),
        FOREIGN KEY (quote_id) REFERENCES quote (id));
    CREATE DATABASE new; USE new;
    CREATE TABLE cart (
        id bigint PRIMARY KEY, email varchar(60), made datetime, version int NOT NULL DEFAULT 1);
    CREATE TABLE line (
        id bigint PRIMARY KEY, cart_id bigint NOT NULL, sku varchar(40), KEY (cart_id),
        FOREIGN KEY (cart_id) REFERENCES cart (id));";

const MAPPING: &str = r#"
name = "shop"
[source]
kind = "mysql"
url = "OLD"
[target]
kind = "mysql"
url = "NEW"
[cart]
table = "quote"
[cart.rows]
quote_item = { cart = "quote_id" }
[[into]]
table = "cart"
per = "quote"
role = "header"
lock = "version"
ended = "keep"
deleted = "keep"
[into.columns]
id = { key = "id" }
email = "email"
made = "made"
[[into]]
table = "line"
per = "quote_item"
role = "line"
[into.columns]
id = { key = "id" }
cart_id = "quote_id"
sku = "sku"
"#;

struct Ends {
    server: Server,
    config: String,
}

impl Ends {
    async fn open(programs: Programs, options: Options) -> Self {
        let options = options.with_ids(programs.flavor);
        let server = Server::start_of(programs, options).await.unwrap();
        server.run(OLD).await.unwrap();
        let config = MAPPING
            .replace("OLD", &server.url("old"))
            .replace("NEW", &server.url("new"));
        Self { server, config }
    }

    async fn run(&self, sql: &str) {
        self.server.run(&format!("USE old; {sql}")).await.unwrap();
    }

    /// What is not well with the source.
    async fn wrong(&self) -> Vec<Finding> {
        let config = Config::parse(&self.config, Path::new("shop.toml")).unwrap();
        let source = Source::connect(&config.source, "check").await.unwrap();
        let target = Target::connect(&config.target, "check").await.unwrap();
        let schemas = check::schemas(&config, &source, &target).await.unwrap();
        let report = check::run(&config, &source, &target, &schemas).await;
        let is_wrong = |f: &Finding| {
            let wrong = matches!(f.verdict, Verdict::Fail | Verdict::Warn);
            f.end == End::Source && wrong && !ALWAYS.contains(&f.check)
        };
        let findings = report.unwrap().findings.into_iter();
        findings.filter(is_wrong).collect()
    }

    /// Exactly this is wrong, in this order, until the statements that are printed are run.
    async fn is_mended(&self, wanted: &[(&str, Verdict, &str)]) {
        let wrong = self.wrong().await;
        let said: Vec<(&str, Verdict, &str)> = wrong
            .iter()
            .map(|f| (f.check, f.verdict, f.message.as_str()))
            .collect();
        assert_eq!(said, wanted, "{:?}", self.server.programs().flavor);
        for finding in &wrong {
            let sql = finding
                .sql
                .as_ref()
                .unwrap_or_else(|| panic!("{finding:?}"));
            self.run(sql).await;
        }
        assert_eq!(self.wrong().await, []);
    }
}

/// What a throwaway server always is warned of, and has tests of its own.
const ALWAYS: [&str; 2] = ["log metadata", "unlogged changes"];

#[tokio::test]
async fn how_the_log_is_kept_is_named_with_what_mends_it() {
    use Verdict::{Fail, Warn};
    for programs in Programs::all().unwrap() {
        let options = Options::default()
            .setting("binlog_format", "MIXED")
            .setting("binlog_row_image", "MINIMAL")
            .setting("binlog_expire_logs_seconds", "7200")
            .setting("max_allowed_packet", "512K");
        let ends = Ends::open(programs, options).await;
        let also = "also in sessions that are open already and in the server's option file";
        let format = format!("binlog_format is MIXED; it must be 'ROW', {also}");
        let image = format!("binlog_row_image is MINIMAL; it must be 'FULL', {also}");
        ends.is_mended(&[
            ("log level", Fail, &format),
            ("log level", Fail, &image),
            (
                "log retention",
                Warn,
                "binary logs are kept for 2 h, read or not: a daemon that is down for longer has \
                 lost its place",
            ),
            (
                "packet size",
                Warn,
                "max_allowed_packet is 512 KiB: the keys of a chunk of carts may not fit into a \
                 statement; change it in the server's option file too",
            ),
        ])
        .await;
        // Kept for ever is fine; in MySQL it can be said in another way.
        ends.run("SET GLOBAL binlog_expire_logs_seconds = 0").await;
        assert_eq!(ends.wrong().await, []);
        if ends.server.programs().flavor == Flavor::MySql {
            ends.run(
                "SET GLOBAL binlog_expire_logs_seconds = 60;
                 SET GLOBAL binlog_expire_logs_auto_purge = OFF",
            )
            .await;
            assert_eq!(ends.wrong().await, []);
        }
    }
}

#[tokio::test]
async fn databases_that_are_left_out_of_the_log_are_named() {
    for programs in Programs::all().unwrap() {
        let wrong = async |option: &str, database: &str| {
            let options = Options::default().setting(option, database);
            let ends = Ends::open(programs.clone(), options).await;
            let wrong = ends.wrong().await;
            assert_eq!(wrong.len(), 1, "{wrong:#?}");
            assert_eq!(wrong[0].check, "log filters");
            (wrong[0].verdict, wrong[0].message.clone())
        };
        for (option, database) in [("binlog_do_db", "new"), ("binlog_ignore_db", "old")] {
            let (verdict, message) = wrong(option, database).await;
            assert_eq!(verdict, Verdict::Fail);
            assert_eq!(
                message,
                format!(
                    "the source leaves what changes in the database old out of its log ({option} = \
                     {database}), so that its carts cannot be followed: change that in the server's \
                     option file and restart it"
                )
            );
        }
        let (verdict, message) = wrong("binlog_do_db", "old").await;
        assert_eq!(verdict, Verdict::Warn);
        assert_eq!(
            message,
            "binlog_do_db = old leaves no mapped rows out of the log, but it leaves out an ALTER of a \
             mapped table by a session that is in another database: USE the table's own first"
        );
    }
}

#[tokio::test]
async fn columns_that_cannot_be_read_are_named() {
    for programs in Programs::all().unwrap() {
        let flavor = programs.flavor;
        let mut ends = Ends::open(programs, Options::default()).await;
        assert_eq!(ends.wrong().await, []);
        // Where nothing reads them they do no harm.
        ends.run(
            "ALTER TABLE quote ADD COLUMN place POINT, ADD COLUMN old VARCHAR(9) CHARACTER SET dec8;
             ALTER TABLE new.cart ADD COLUMN place POINT, ADD COLUMN old VARCHAR(9)",
        )
        .await;
        assert_eq!(ends.wrong().await, []);
        let email = "email = \"email\"";
        let more = format!("{email}\nplace = \"place\"\nold = \"old\"");
        ends.config = ends.config.replace(email, &more);
        let wrong = ends.wrong().await;
        let said: Vec<(&str, Verdict, &str)> = wrong
            .iter()
            .map(|f| (f.check, f.verdict, f.message.as_str()))
            .collect();
        let place = "`old`.`quote`: column `place` is point, which cartage cannot read; leave it out \
                     of the mapping";
        let old = "`old`.`quote`: column `old` is in the charset dec8, whose bytes in the log cartage \
                   cannot read; convert it: ALTER TABLE … MODIFY `old` varchar(9) CHARACTER SET \
                   utf8mb4";
        let check = "readable columns";
        assert_eq!(
            said,
            [(check, Verdict::Fail, place), (check, Verdict::Fail, old)],
            "{flavor:?}"
        );
    }
}

/// Of MariaDB alone: nobody else makes them any more.
#[tokio::test]
async fn times_in_the_old_form_are_mended_in_place() {
    for programs in Programs::all().unwrap() {
        if programs.flavor == Flavor::MySql {
            continue;
        }
        let options = Options::default().setting("mysql56_temporal_format", "OFF");
        let ends = Ends::open(programs, options).await;
        // Without fractions the log tells them as well as new ones.
        assert_eq!(ends.wrong().await, []);
        ends.run("ALTER TABLE quote_item ADD COLUMN at TIMESTAMP(3) NULL")
            .await;
        ends.is_mended(&[(
            "time format",
            Verdict::Fail,
            "the column at of `old`.`quote_item` is timestamp(3) /* mariadb-5.3 */: in that form, \
             which is older than MariaDB 10.1, the log does not say how long its values are",
        )])
        .await;
    }
}

#[tokio::test]
async fn a_clock_in_another_zone_is_told() {
    for programs in Programs::all().unwrap() {
        let mut ends = Ends::open(programs, Options::default()).await;
        ends.run("SET GLOBAL time_zone = '+05:30'").await;
        let wrong = ends.wrong().await;
        assert_eq!(wrong.len(), 1, "{wrong:#?}");
        assert_eq!(
            (wrong[0].check, wrong[0].verdict),
            ("time zone", Verdict::Warn)
        );
        assert_eq!(
            wrong[0].message,
            "the server's clock is in +05:30 (+05:30), and [source] time_zone is UTC (+00:00 now): \
             if the shop writes DATETIME by the server's clock, give its zone as time_zone"
        );
        let kind = "kind = \"mysql\"";
        let zoned = format!("{kind}\ntime_zone = \"Asia/Kolkata\"");
        ends.config = ends.config.replacen(kind, &zoned, 1);
        assert_eq!(ends.wrong().await, []);
        // Where no date without a zone is read, it does not matter.
        ends.config = ends
            .config
            .replace(&zoned, kind)
            .replace("made = \"made\"\n", "");
        assert_eq!(ends.wrong().await, []);
    }
}

/// MySQL takes that setting at the making of its data alone.
#[tokio::test]
async fn names_that_the_server_folds_are_to_be_written_so() {
    for programs in Programs::all().unwrap() {
        if programs.flavor == Flavor::MySql {
            continue;
        }
        let options = Options::default().setting("lower_case_table_names", "1");
        let mut ends = Ends::open(programs, options).await;
        assert_eq!(ends.wrong().await, []);
        ends.config = ends
            .config
            .replace("table = \"quote\"", "table = \"Quote\"")
            .replace("per = \"quote\"", "per = \"Quote\"");
        let wrong = ends.wrong().await;
        let told = wrong.iter().find(|f| f.check == "case of names");
        assert_eq!(
            told.map(|f| f.message.as_str()),
            Some("lower_case_table_names is 1: the server keeps Quote as quote; write it so"),
            "{wrong:#?}"
        );
    }
}
