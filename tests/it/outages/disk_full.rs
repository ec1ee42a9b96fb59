//! The new server's disk fills up: that of its tables, and that of its own log, which stops it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cartage::demo::cluster::{Cluster, Options, Shutdown};
use tempfile::TempDir;

use super::pair::{Pair, assert_equal, logged};
use super::seller::Seller;
use crate::scenario::daemon::Daemon;
use crate::scenario::settled::{backfilled, settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_for() {
    let Some(disk) = SmallDisk::mount("48m") else {
        return;
    };
    let pair = Pair::load(Options::default(), Options::default()).await;
    disk.give_to(&pair.target);
    let admin = pair.target.client("postgres").await.unwrap();
    let space = format!(
        "CREATE TABLESPACE small LOCATION '{}'",
        disk.folder.path().display()
    );
    admin.batch_execute(&space).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    // The sessions that filled it may take a moment to be gone.
    while let Err(error) = admin
        .batch_execute("ALTER DATABASE shop SET TABLESPACE small")
        .await
    {
        assert!(Instant::now() < deadline, "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pair.set_up();
    let mut daemon = Daemon::start(&pair.config());
    let shops = pair.shops().await;
    backfilled(&mut daemon, &shops.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(10).await;

    let from = daemon.log().len();
    let filler = disk.fill();
    let said = "No space left on device (Check free disk space.): That server's disk is full; free some \
                space on it; starting again";
    logged(&mut daemon, said, from).await;
    let line = daemon.log()[from..]
        .lines()
        .find(|l| l.contains(said))
        .map(str::to_string);
    assert!(
        line.is_some_and(|l| l.contains("target: could not extend file")),
        "{}",
        daemon.log()
    );
    seller.sells(20).await;
    fs::remove_file(filler).unwrap();
    seller.sells(20).await;
    seller.stop().await;

    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_its_full_log_has_stopped_is_waited_for() {
    let Some(disk) = SmallDisk::mount("100m") else {
        return;
    };
    let target = Options::default()
        .setting("min_wal_size", "32MB")
        .setting("max_wal_size", "48MB");
    let mut pair = Pair::open(Options::default(), target).await;
    disk.give_to(&pair.target);
    pair.target.stop(Shutdown::Fast).await.unwrap();
    let (log, small) = (
        pair.target.data().join("pg_wal"),
        disk.folder.path().join("pg_wal"),
    );
    let moved = Command::new("cp")
        .arg("-a")
        .args([&log, &small])
        .status()
        .unwrap();
    assert!(moved.success());
    fs::remove_dir_all(&log).unwrap();
    symlink(&small, &log).unwrap();
    pair.target.resume().await.unwrap();
    let mut daemon = Daemon::start(&pair.config());
    let shops = pair.shops().await;
    backfilled(&mut daemon, &shops.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(10).await;

    let from = daemon.log().len();
    let filler = disk.fill();
    // Each switch needs a new file of the log, until there is no room for one.
    let deadline = Instant::now() + Duration::from_secs(20);
    let switch = "SELECT pg_switch_wal() FROM (SELECT txid_current()) AS t";
    while shops.target.batch_execute(switch).await.is_ok() {
        assert!(Instant::now() < deadline, "waited for the log to be full");
    }
    let refused = format!("target: cannot reach 127.0.0.1:{}", pair.target.port());
    logged(&mut daemon, &refused, from).await;
    assert!(pair.target.log().contains("No space left on device"));
    fs::remove_file(filler).unwrap();
    pair.target.stop(Shutdown::Immediate).await.unwrap();
    pair.target.resume().await.unwrap();
    seller.sells(20).await;
    seller.stop().await;

    let shops = pair.shops().await;
    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

/// A file system in memory. It goes with the test, even with one that is killed.
struct SmallDisk {
    folder: TempDir,
    keeper: Child,
}

impl SmallDisk {
    /// None where we are not root, who alone may mount: then the test says that it was not played.
    fn mount(size: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            // Past the test runner, which keeps what is printed by tests that pass.
            let mut screen = std::io::stderr();
            writeln!(
                screen,
                "NOT PLAYED: a full disk needs root, who may mount a small one"
            )
            .unwrap();
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0711");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "cartage-test"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(mounted.success(), "root cannot mount a tmpfs here");
        let keeper = Command::new("sh")
            .args(["-c", "read -r _; umount -l \"$1\"; rmdir \"$1\"", "keeper"])
            .arg(folder.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Self { folder, keeper })
    }

    /// The server's user may write to it.
    fn give_to(&self, cluster: &Cluster) {
        let owner = fs::metadata(cluster.data()).unwrap();
        chown(self.folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// Takes all the room that is left.
    fn fill(&self) -> PathBuf {
        let path = self.folder.path().join("filler");
        let mut file = fs::File::create(&path).unwrap();
        let block = vec![0; 4096];
        while file.write_all(&block).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
