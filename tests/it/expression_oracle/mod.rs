//! Random expressions over random rows: Postgres itself says what each must give.

mod carts;
mod fitting;
mod generator;
mod pushdown;
pub mod rows;

use cartage::demo::cluster::{Cluster, Options};
use tokio_postgres::{Client, SimpleQueryMessage};

/// What one side gives: a value, or why there is none.
type Given = Result<Option<String>, String>;

/// Seeds that once told of a difference.
const SEEDS: [u64; 4] = [1, 31, 77, 94_088];
const EXPRESSIONS: usize = 2_000;

/// A server with the types that the tables need, and a session with the settings of a replica's.
async fn server() -> (Cluster, Client) {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    // Ordered by bytes, with the letters of all languages.
    let database = "create database expressions template template0 encoding 'UTF8' \
                    lc_collate 'C' lc_ctype 'C.UTF-8'";
    let client = cluster.client("postgres").await.unwrap();
    client.batch_execute(database).await.unwrap();
    let client = cluster.client("expressions").await.unwrap();
    let settings = "set time zone 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; \
                    set extra_float_digits = 1; set bytea_output = 'hex'; \
                    create extension if not exists citext; \
                    create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
                    create type mood as enum ('sad', 'ok', 'happy'); \
                    create domain amount as numeric(8,3); \
                    create function digits(text) returns int language sql immutable strict as \
                        'select case $1 when ''JPY'' then 0 when ''KWD'' then 3 else 2 end'; \
                    create function minor_units(numeric, text) returns bigint language sql \
                        immutable strict as 'select round($1 * 10::numeric ^ digits($2))::bigint'; \
                    create function major_units(bigint, text) returns numeric language sql \
                        immutable strict as 'select round($1 / 10::numeric ^ digits($2), digits($2))'; \
                    create function whole(numeric) returns bigint language plpgsql immutable strict as \
                        $f$ begin if $1 <> trunc($1) then raise 'a fraction'; end if; return $1; end $f$; \
                    create function whole(float8) returns bigint language plpgsql immutable strict as \
                        $f$ begin if $1 <> trunc($1) then raise 'a fraction'; end if; return $1; end $f$; \
                    create function grade(text) returns text language sql immutable strict as \
                        $f$ select case $1 when 'abc' then 'A' when '' then 'none' \
                                when 'lit' then 'L' when '3' then '' end $f$; \
                    create function level(text) returns int language plpgsql immutable strict as \
                        $f$ begin case $1 when '0' then return 7; when '3' then return -30; \
                                when 'true' then return 1; end case; end $f$";
    client.batch_execute(settings).await.unwrap();
    (cluster, client)
}

/// From `CARTAGE_SEED`: a number, or `random`; else always the same, so that a change is judged by
/// what it changed.
fn seed() -> u64 {
    let seed = match std::env::var("CARTAGE_SEED").as_deref() {
        Ok("random") => fastrand::u64(..1_000_000),
        Ok(seed) => seed.parse().expect("a number or random"),
        Err(_) => 20_261,
    };
    println!("CARTAGE_SEED={seed}");
    seed
}

/// The one value of a query.
async fn ask(client: &Client, sql: &str) -> Given {
    match client.simple_query(sql).await {
        Ok(messages) => Ok(messages.into_iter().find_map(|m| match m {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })),
        Err(error) => Err(error
            .as_db_error()
            .map_or_else(|| error.to_string(), |e| e.message().to_owned())),
    }
}

fn quoted(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Both give the same value, or both fail.
fn agree(ours: &Given, theirs: &Given) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

/// Fails with all differences.
fn judge(seed: u64, differences: &[String]) {
    assert!(
        differences.is_empty(),
        "seed {seed}: {} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[tokio::test]
async fn expressions_agree_with_postgres() {
    let (_cluster, client) = server().await;
    for seed in SEEDS {
        rows::run(&client, seed, EXPRESSIONS).await;
    }
    let values = rows::run(&client, seed(), EXPRESSIONS).await;
    assert!(values > EXPRESSIONS / 3, "only {values} gave a value");
}

/// `timestamptz` is shifted on the clock of the session's zone there and of the mapping's here.
#[tokio::test]
async fn days_are_those_of_the_zone() {
    let (_cluster, client) = server().await;
    client
        .batch_execute("set time zone 'Europe/Berlin'")
        .await
        .unwrap();
    rows::in_zone(&client, chrono_tz::Europe::Berlin).await;
}

#[tokio::test]
async fn aggregates_agree_with_postgres() {
    let (_cluster, client) = server().await;
    carts::run(&client, seed(), 600).await;
}

#[tokio::test]
async fn values_become_what_columns_hold() {
    let (_cluster, client) = server().await;
    fitting::bound(&client, seed(), 1_000).await;
    fitting::canonical_forms(&client).await;
    fitting::floats(&client, seed(), 1_000).await;
}

#[tokio::test]
async fn pushed_down_conditions_select_at_least_what_ours_do() {
    let (_cluster, client) = server().await;
    pushdown::run(&client, seed(), 1_500).await;
    pushdown::finds_the_index(&client).await;
}
