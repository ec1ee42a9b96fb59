//! Native logical replication into the same tables (manual, "Logical Replication").

use std::time::Instant;

use cartage::demo::cluster::Cluster;

use crate::delay::{self, Delay};
use crate::run::{Run, Watch, caught_up};
use crate::server::{Server, Session};
use crate::shop::{DATABASE, MARK, OldShop, PUBLICATION};
use crate::{Failed, LOOK, PATIENCE, Result};

const BASE: &str = "native_base";
const CURRENT: &str = "native";
const SLOT: &str = "bench_native";

/// Whether the subscription waits for its commits to be on disk; by itself it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    AsItComes,
    Full,
}

/// Copies the carts into a database that the runs of [`catch_up`] begin with.
pub async fn copy(old: &OldShop, new: &Server) -> Result<Run> {
    let schema = include_str!("../shop/postgres/old.sql");
    let mut session = new.empty(BASE, schema).await?;
    let subscribe = format!(
        "CREATE SUBSCRIPTION initial CONNECTION '{}' PUBLICATION {PUBLICATION} WITH (enabled = false)",
        old.server.url(DATABASE)
    );
    // It makes the slot, as `cartage setup` does before the clock starts.
    session.run(&subscribe).await?;
    let watch = Watch::start(&old.server, Some(new)).await?;
    session.run("ALTER SUBSCRIPTION initial ENABLE").await?;
    let deadline = Instant::now() + PATIENCE;
    let ready = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'";
    while session.number(ready).await? < 2 {
        if Instant::now() > deadline {
            return Err(Failed::because("the initial copy did not end"));
        }
        tokio::time::sleep(LOOK).await;
    }
    let run = watch.stop(None).await?;
    session.run("DROP SUBSCRIPTION initial").await?;
    session.run("VACUUM ANALYZE").await?;
    Ok(run)
}

/// A subscription that stands where the backlog begins.
async fn subscribe(old: &OldShop, new: &Server, durability: Durability) -> Result<Session> {
    new.copy(BASE, CURRENT).await?;
    old.rewind(SLOT).await?;
    let mut session = new.session(CURRENT).await?;
    let commit = match durability {
        Durability::AsItComes => "off",
        Durability::Full => "on",
    };
    let subscribe = format!(
        "CREATE SUBSCRIPTION bench CONNECTION '{}' PUBLICATION {PUBLICATION} WITH \
         (create_slot = false, slot_name = '{SLOT}', copy_data = false, enabled = false, \
          synchronous_commit = {commit})",
        old.server.url(DATABASE)
    );
    session.run(&subscribe).await?;
    Ok(session)
}

async fn unsubscribe(old: &OldShop, new: &Server, mut session: Session) -> Result<()> {
    for end in [
        "ALTER SUBSCRIPTION bench DISABLE",
        "ALTER SUBSCRIPTION bench SET (slot_name = NONE)",
        "DROP SUBSCRIPTION bench",
    ] {
        session.run(end).await?;
    }
    old.drop_slot(SLOT).await?;
    new.discard(CURRENT).await
}

async fn arrived(old: &OldShop, session: &mut Session) -> Result<()> {
    session.run("ALTER SUBSCRIPTION bench ENABLE").await?;
    let count = format!("SELECT count(*) FROM cart WHERE token IN ($TOKENS) AND status = '{MARK}'");
    caught_up(session, &count, old).await
}

pub async fn catch_up(old: &OldShop, new: &Server, durability: Durability) -> Result<Run> {
    let mut session = subscribe(old, new, durability).await?;
    let watch = Watch::start(&old.server, Some(new)).await?;
    arrived(old, &mut session).await?;
    let worker = worker(&mut session).await?;
    let run = watch.stop(Some(worker)).await?;
    unsubscribe(old, new, session).await?;
    Ok(run)
}

/// The delays of a subscription that has caught up and whose commits are on disk.
pub async fn delays(
    name: &str,
    old: &OldShop,
    new: &Server,
    cluster: &Cluster,
    rates: &[u64],
) -> Result<Vec<Delay>> {
    let mut session = subscribe(old, new, Durability::AsItComes).await?;
    arrived(old, &mut session).await?;
    let durable = "ALTER SUBSCRIPTION bench SET (synchronous_commit = on)";
    session.run(durable).await?;
    let client = cluster.client(CURRENT).await?;
    let visible = "SELECT token::text, status FROM cart WHERE token = ANY ($1::text[]::uuid[])";
    let delays = delay::at_rates(name, old, &client, visible, rates).await?;
    unsubscribe(old, new, session).await?;
    Ok(delays)
}

/// The process that applies.
async fn worker(session: &mut Session) -> Result<u32> {
    let sql = "SELECT pid::bigint FROM pg_stat_subscription
               WHERE subname = 'bench' AND relid IS NULL";
    Ok(u32::try_from(session.number(sql).await?)?)
}
