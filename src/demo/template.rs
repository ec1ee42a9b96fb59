//! Data folders: temporary ones, and the template that clusters are copied from, for `initdb`
//! takes a second and a copy takes a tenth of it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use tokio::process::Command;
use tokio::sync::Mutex;

use super::binaries::Account;
use super::cluster::{ClusterError, PASSWORD, USER};

/// A temporary folder, removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes a folder that only its owner can enter.
    pub fn new(purpose: &str, owner: Option<Account>) -> Result<Self, ClusterError> {
        let path = std::env::temp_dir().join(format!(
            "cartage-{purpose}-{}-{:08x}",
            std::process::id(),
            fastrand::u32(..)
        ));
        let failed = || ClusterError::io(path.display().to_string());
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(failed())?;
        let folder = Folder(path.clone());
        if let Some(owner) = owner {
            chown(&path, Some(owner.uid), Some(owner.gid)).map_err(failed())?;
        }
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A data folder as `initdb` left it.
#[derive(Debug)]
pub struct Template(Folder);

/// The template lives as long as any cluster that was copied from it.
static SHARED: Mutex<Weak<Template>> = Mutex::const_new(Weak::new());

impl Template {
    /// This process's template; made at the first call.
    pub async fn shared(
        programs: &Path,
        account: Option<Account>,
    ) -> Result<Arc<Self>, ClusterError> {
        let mut shared = SHARED.lock().await;
        if let Some(template) = shared.upgrade() {
            return Ok(template);
        }
        let template = Arc::new(Template(Folder::new("template", account)?));
        Self::initdb(programs, account, &template.data()).await?;
        *shared = Arc::downgrade(&template);
        Ok(template)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Copies the data folder, owners and modes included.
    pub async fn copy_to(&self, data: &Path) -> Result<(), ClusterError> {
        copy(&self.data(), data).await
    }

    /// Makes a data folder in a folder that the account can write to.
    pub async fn initdb(
        programs: &Path,
        account: Option<Account>,
        data: &Path,
    ) -> Result<(), ClusterError> {
        let passwords = data.with_extension("password");
        fs::write(&passwords, PASSWORD).map_err(ClusterError::io("password file"))?;
        let mut command = Command::new(programs.join("initdb"));
        command
            .args([
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--auth=trust",
                "-U",
                USER,
            ])
            .arg("--pwfile")
            .arg(&passwords)
            .arg("-D")
            .arg(data)
            .current_dir("/");
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid);
        }
        finish(&mut command).await
    }
}

/// Copies a folder, owners and modes included.
pub async fn copy(from: &Path, to: &Path) -> Result<(), ClusterError> {
    finish(Command::new("cp").arg("-a").arg(from).arg(to)).await
}

pub(super) async fn finish(command: &mut Command) -> Result<(), ClusterError> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .map_err(ClusterError::io(program.clone()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(ClusterError::Program {
            program,
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
    }
}
