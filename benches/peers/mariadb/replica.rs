//! MariaDB's own replica, with four threads that apply ("Parallel Replication").

use crate::run::{Run, Watch};
use crate::server::{Server, Session};
use crate::shop::{DATABASE, OldShop};
use crate::{Failed, PATIENCE, Result};

/// The carts as they are where the backlog begins.
const BASE: &str = "replica_base";

/// Has the replica follow from the beginning of the log, and keeps what it has then.
pub async fn begin(old: &OldShop, new: &Server, port: u16) -> Result<()> {
    let mut session = new.admin().await?;
    session
        .run(&format!(
            "CHANGE MASTER TO master_host = '127.0.0.1', master_port = {port},
                 master_user = 'root', master_use_gtid = slave_pos;
             SET GLOBAL slave_parallel_threads = 4;
             START SLAVE"
        ))
        .await?;
    arrived(&mut session, &old.backlog.ids[0]).await?;
    session.run("STOP SLAVE").await?;
    new.copy(DATABASE, BASE).await
}

pub async fn catch_up(old: &OldShop, new: &Server) -> Result<Run> {
    let [from, to] = &old.backlog.ids;
    let mut session = new.admin().await?;
    new.copy(BASE, DATABASE).await?;
    let rewind = format!("SET GLOBAL gtid_slave_pos = '{from}'");
    session.run(&rewind).await?;
    let watch = Watch::start(&old.server, Some(new)).await?;
    session.run("START SLAVE").await?;
    arrived(&mut session, to).await?;
    let run = watch.stop(None).await?;
    session.run("STOP SLAVE").await?;
    new.discard(DATABASE).await?;
    Ok(run)
}

async fn arrived(session: &mut Session, id: &str) -> Result<()> {
    let wait = format!("SELECT master_gtid_wait('{id}', {})", PATIENCE.as_secs());
    match session.number(&wait).await? {
        0 => Ok(()),
        _ => Err(Failed::because("the replica did not catch up")),
    }
}
