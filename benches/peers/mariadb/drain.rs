//! `mariadb-binlog` into a file: how fast the source gives its log away.

use std::process::Stdio;

use tokio::process::Command;

use crate::run::{Run, Watch};
use crate::shop::OldShop;
use crate::{Failed, Result};

/// None where the program is not installed.
pub async fn drain(old: &OldShop, port: u16) -> Result<Option<Run>> {
    let folder = tempfile::tempdir()?;
    let watch = Watch::start(&old.server, None).await?;
    let drain = Command::new("mariadb-binlog")
        .args([
            "--no-defaults",
            "-h127.0.0.1",
            &format!("-P{port}"),
            "-uroot",
        ])
        .args(["--read-from-remote-server", "--raw", "--to-last-log"])
        .arg(format!("--result-file={}/", folder.path().display()))
        .arg(&old.backlog.file)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    let status = match drain {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        drain => drain?,
    };
    if !status.success() {
        return Err(Failed::because(format!(
            "mariadb-binlog ended with {status}"
        )));
    }
    Ok(Some(watch.stop(None).await?))
}
