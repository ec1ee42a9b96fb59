//! The unit file, judged by systemd's own tools, and the check that comes before a start.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::protocol::shop::Shop;

const UNIT: &str = include_str!("../../../systemd/cartage@.service");

/// Exposure, in tenths, that systemd-analyze may find.
const MOST_EXPOSED: u32 = 20;

#[test]
fn systemd_finds_no_fault_and_little_exposure() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("cartage@.service");
    // The program is not installed where the unit will find it.
    let here = UNIT.replace("/usr/bin/cartage", env!("CARGO_BIN_EXE_cartage"));
    fs::write(&unit, here).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze")
            .args(arguments)
            .arg(&unit)
            .output();
        match output {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            output => Some(output.unwrap()),
        }
    };
    let Some(verified) = analyze(&["verify"]) else {
        // Past the test harness, which shows nothing of tests that pass.
        let _ = std::io::stderr().write_all(
            b"NOT DONE: the systemd unit was not judged, for there is no systemd-analyze here; \
              on Debian: apt-get install systemd\n",
        );
        return;
    };
    // What it says of other units of this machine is not about ours.
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<&str> = said.lines().filter(|l| l.contains("cartage")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
    assert!(verified.status.success(), "{said}");

    let threshold = format!("--threshold={MOST_EXPOSED}");
    let rated = analyze(&["security", "--offline=yes", "--no-pager", &threshold]).unwrap();
    let table = String::from_utf8_lossy(&rated.stdout);
    assert!(table.contains("Overall exposure level"), "{table}");
    assert!(rated.status.success(), "{table}");
}

/// The values of a key of `[Service]`.
fn values(key: &str) -> Vec<&'static str> {
    let lines = UNIT.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn the_unit_says_what_the_daemon_relies_on() {
    assert_eq!(values("Type"), ["notify"]);
    assert_eq!(values("WatchdogSec"), ["2min"]);
    assert_eq!(values("Restart"), ["on-failure"]);
    assert_eq!(values("RestartPreventExitStatus"), ["2 4"]);
    assert_eq!(values("LimitCORE"), ["0"]);
    // procps, which has /bin/kill, is not on a minimal Debian.
    assert_eq!(values("ExecReload"), ["/bin/sh -c 'kill -HUP $MAINPID'"]);
    let credentials = values("LoadCredential");
    assert!(credentials.iter().all(|c| c.contains("/credentials/%i/")));
    assert_eq!(credentials.len(), 2);
    for (key, command) in [("ExecStartPre", "check --before-run"), ("ExecStart", "run")] {
        let line = format!("/usr/bin/cartage {command} --config /etc/cartage/%i.toml");
        assert_eq!(values(key), [line]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_before_a_start_forbids_what_does_not_pass_by_itself() {
    let shop = Shop::open("systemd_check").await;
    let check = |config: &std::path::Path, more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
            .arg("check")
            .args(more)
            .arg("--config")
            .arg(config)
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        (output.status.code().unwrap(), said)
    };
    let (code, said) = check(&shop.config, &["--before-run"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("pass  "), "{said}");

    let text = fs::read_to_string(&shop.config).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from));
        let path = shop.config.with_file_name("changed.toml");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        path
    };
    // A source that is down, which the daemon waits for.
    let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
    let away = changed(&shop.shops.source_url, nowhere);
    let (code, said) = check(&away, &["--before-run"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("not checked, for it passes by itself: cannot reach 127.0.0.1:1"),
        "{said}"
    );
    assert_eq!(check(&away, &[]).0, 1);
    let wrong = changed("name = ", "nmae = ");
    assert_eq!(check(&wrong, &["--before-run"]).0, 2);
    // A database that is not there, which no waiting brings.
    let lost = format!("{}_lost", shop.shops.source_url);
    let lost = changed(&shop.shops.source_url, &lost);
    assert_eq!(check(&lost, &["--before-run"]).0, 1);
    // There `run` itself needs a human, and says so without colours, for the journal.
    let mut run = Command::new(env!("CARGO_BIN_EXE_cartage"));
    let ended = run.arg("run").arg("--config").arg(&lost).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(4), "{said}");
    assert!(said.contains("ERROR") && !said.contains('\x1b'), "{said:?}");
    // A slot that is gone.
    let slot = "SELECT pg_drop_replication_slot('cartage_systemd_check')";
    shop.shops.source.batch_execute(slot).await.unwrap();
    let (code, said) = check(&shop.config, &["--before-run"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("fail  source  slot: "), "{said}");
}
