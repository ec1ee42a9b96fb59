//! The tutorial, step by step as it stands in docs/tutorial.md: its commands are run by a shell, and
//! must print what it says they print.
//!
//! A block of `sh` is run; the block of `text` behind it is what it prints, line by line and in that
//! order, where `…` stands for anything and other lines may be in between. One that ends with `&` runs on
//! until the end.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::scenario::servers::{Shops, connect};

/// What follows in the log, and what a daemon does, takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);

struct Step {
    command: String,
    prints: Vec<String>,
}

#[tokio::test]
async fn its_commands_print_what_it_says() {
    let shops = Shops::create("tutorial").await;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for (url, file) in [
        (&shops.source_url, "old-shop.sql"),
        (&shops.target_url, "new-shop.sql"),
    ] {
        let sql = fs::read_to_string(docs.join("tutorial").join(file)).unwrap();
        connect(url).await.batch_execute(&sql).await.unwrap();
    }
    let text = fs::read_to_string(docs.join("tutorial.md")).unwrap();
    let steps = steps(&text);
    assert!(
        steps.len() >= 8,
        "the tutorial has lost its steps: {}",
        steps.len()
    );
    let folder = tempfile::tempdir().unwrap();
    let shell = Shell {
        folder: folder.path(),
        shops: &shops,
    };
    let mut running = Vec::new();
    for step in steps {
        if let Some(command) = step.command.trim_end().strip_suffix('&') {
            running.push(Running(
                shell
                    .command(command)
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap(),
            ));
            continue;
        }
        let begin = Instant::now();
        loop {
            let output = shell.command(&step.command).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            match missing(&step.prints, &printed) {
                None => break,
                // Only what a running daemon does comes by waiting.
                Some(line) if running.is_empty() || begin.elapsed() > PATIENCE => {
                    panic!("{}\ndoes not print\n{line}\nbut\n{printed}", step.command)
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(300)).await,
            }
        }
    }
}

/// A daemon that is stopped with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Shell<'s> {
    folder: &'s Path,
    shops: &'s Shops,
}

impl Shell<'_> {
    fn command(&self, text: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_cartage")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        // `psql` is with the server's own programs, if nowhere else.
        let tools = cartage::demo::binaries::folder().unwrap();
        // `exec`, so that it is the daemon itself that is stopped.
        let text = match text.lines().count() {
            1 => format!("exec {text}"),
            _ => text.to_owned(),
        };
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(text)
            .current_dir(self.folder)
            .env(
                "PATH",
                format!("{}:{path}:{}", binary.display(), tools.display()),
            )
            .env("OLD_SHOP", &self.shops.source_url)
            .env("NEW_SHOP", &self.shops.target_url)
            .env("OLD_PASSWORD", password(&self.shops.source_url))
            .env("NEW_PASSWORD", password(&self.shops.target_url))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .process_group(0);
        command
    }
}

fn password(url: &str) -> &str {
    let login = url.split_once("://").unwrap().1.split_once('@').unwrap().0;
    login.split_once(':').map_or("", |(_, password)| password)
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<(&str, String)> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some((kind, String::new())),
            (Some((kind, inside)), Some("")) => {
                match (*kind, steps.last_mut()) {
                    ("sh", _) => steps.push(Step {
                        command: inside.trim_end().to_owned(),
                        prints: Vec::new(),
                    }),
                    ("text", Some(step)) => {
                        step.prints = inside.lines().map(str::to_owned).collect()
                    }
                    _ => {}
                }
                block = None;
            }
            (Some((_, inside)), _) => {
                inside.push_str(line);
                inside.push('\n');
            }
            (None, None) => {}
        }
    }
    steps
}

/// The first line that is not printed after those before it.
fn missing<'p>(prints: &'p [String], printed: &str) -> Option<&'p str> {
    let mut lines = printed.lines();
    let mut lacks =
        |line: &&String| !lines.any(|printed| matches(line.trim_end(), printed.trim_end()));
    prints
        .iter()
        .filter(|line| line.trim() != "…")
        .find(|line| lacks(line))
        .map(String::as_str)
}

/// `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn its_lines_are_compared_whole() {
    assert!(matches("a …c", "a b c"));
    assert!(!matches("a …c", "a b d"));
    assert!(!matches("a", "a b"));
    let prints = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    assert_eq!(missing(&prints(&["a", "c"]), "a\nb\nc\n"), None);
    assert_eq!(missing(&prints(&["c", "a"]), "a\nb\nc\n"), Some("a"));
    let steps = steps("x\n```sh\none\n```\n```text\nline\n```\n```sh\ntwo &\n```\n");
    let commands: Vec<&str> = steps.iter().map(|s| s.command.as_str()).collect();
    assert_eq!(
        (commands, &steps[0].prints),
        (vec!["one", "two &"], &prints(&["line"]))
    );
}
