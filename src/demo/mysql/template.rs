//! The data folder that throwaway servers are copied from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use tokio::process::Command;
use tokio::sync::Mutex;

use super::{ClusterError, Programs};
use crate::demo::binaries::Account;
use crate::demo::template::{Folder, copy, finish};
use crate::mysql::connect::Flavor;

/// Over TCP the superuser is another one than through the socket. While a data folder is made, users
/// are known only once they have been loaded.
const SUPERUSER: &str = "FLUSH PRIVILEGES;
CREATE USER IF NOT EXISTS root@'127.0.0.1';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
";

/// A data folder as its programs made it.
#[derive(Debug)]
pub struct Template(Folder);

/// A template lives as long as any server that was copied from it.
static SHARED: Mutex<Vec<(PathBuf, Weak<Template>)>> = Mutex::const_new(Vec::new());

impl Template {
    /// This process's template of these programs; made at the first call.
    pub async fn shared(
        programs: &Programs,
        account: Option<Account>,
    ) -> Result<Arc<Self>, ClusterError> {
        let mut shared = SHARED.lock().await;
        shared.retain(|(_, template)| template.strong_count() > 0);
        let known = shared.iter().find(|(server, _)| *server == programs.server);
        if let Some(template) = known.and_then(|(_, template)| template.upgrade()) {
            return Ok(template);
        }
        let template = Arc::new(Template(Folder::new("mysql-template", account)?));
        template.install(programs, account).await?;
        shared.push((programs.server.clone(), Arc::downgrade(&template)));
        Ok(template)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Copies the data folder, owners and modes included.
    pub async fn copy_to(&self, data: &Path) -> Result<(), ClusterError> {
        copy(&self.path().join("data"), data).await
    }

    async fn install(
        &self,
        programs: &Programs,
        account: Option<Account>,
    ) -> Result<(), ClusterError> {
        let superuser = self.path().join("superuser.sql");
        fs::write(&superuser, SUPERUSER).map_err(ClusterError::io("superuser.sql"))?;
        let superuser = superuser.display();
        let data = self.path().join("data");
        let mut command = Command::new(&programs.installer);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .current_dir(self.path());
        match programs.flavor {
            Flavor::MariaDb => command.args([
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                &format!("--extra-file={superuser}"),
                "--innodb-log-file-size=16M",
            ]),
            Flavor::MySql => command.args([
                "--initialize-insecure".to_owned(),
                format!("--init-file={superuser}"),
            ]),
        };
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid);
        }
        finish(&mut command).await?;
        // A copy makes its own identity at its first start.
        match fs::remove_file(data.join("auto.cnf")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ClusterError::io("auto.cnf")(error))
            }
            _ => Ok(()),
        }
    }
}
