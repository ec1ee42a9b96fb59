//! `pg_recvlogical` into nothing: how fast the source gives its log away.

use std::process::Stdio;

use tokio::process::Command;

use crate::run::{Run, Watch};
use crate::shop::{DATABASE, OldShop, PUBLICATION};
use crate::{Failed, Result};

const SLOT: &str = "bench_drain";

pub async fn drain(old: &OldShop) -> Result<Run> {
    old.rewind(SLOT).await?;
    let end = old.backlog.end;
    let watch = Watch::start(&old.server, None).await?;
    let mut drain = Command::new(old.cluster()?.programs().join("pg_recvlogical"))
        .args(["-d", &old.server.url(DATABASE), "--slot", SLOT, "--start"])
        .args(["-f", "/dev/null"])
        .arg(format!("--endpos={:X}/{:X}", end >> 32, end & 0xFFFF_FFFF))
        .args(["-F", "0", "-o", "proto_version=1", "-o"])
        .arg(format!("publication_names={PUBLICATION}"))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let status = drain.wait().await?;
    if !status.success() {
        return Err(Failed::because(format!(
            "pg_recvlogical ended with {status}"
        )));
    }
    let run = watch.stop(None).await?;
    old.drop_slot(SLOT).await?;
    Ok(run)
}
