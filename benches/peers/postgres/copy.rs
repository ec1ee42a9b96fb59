//! One COPY after the other out of the old tables and into the same, foreign keys checked.

use cartage::demo::cluster::Cluster;
use futures_util::{SinkExt, StreamExt, pin_mut};

use crate::run::{Run, Watch};
use crate::server::Server;
use crate::shop::{DATABASE, OldShop};
use crate::{Result, usage};

const COPIED: &str = "copied";

pub async fn copy(old: &OldShop, new: &Server, cluster: &Cluster) -> Result<Run> {
    let schema = include_str!("../shop/postgres/old.sql");
    new.empty(COPIED, schema).await?;
    let source = old.cluster()?.client(DATABASE).await?;
    let target = cluster.client(COPIED).await?;
    let spent = || usage::cpu_seconds(std::process::id());
    let watch = Watch::start(&old.server, Some(new)).await?;
    let before = spent();
    for table in ["cart", "cart_item"] {
        let out = source.copy_out(&format!("COPY {table} TO STDOUT")).await?;
        let sink = target.copy_in(&format!("COPY {table} FROM STDIN")).await?;
        pin_mut!(out, sink);
        while let Some(chunk) = out.next().await {
            sink.feed(chunk?).await?;
        }
        sink.finish().await?;
    }
    let after = spent();
    let mut run = watch.stop(None).await?;
    // The harness's own memory would tell of all that it has done before.
    run.applier_cpu = after.zip(before).map(|(after, before)| after - before);
    new.discard(COPIED).await?;
    Ok(run)
}
