//! What tidies up after a process that was killed.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A shell that holds one end of a pipe whose other end is ours. If we die without a chance to
/// tidy up, it reads the end of the pipe, stops the server whose number stands in the first line of
/// `pid_file`, and removes the folders.
pub fn watchdog(pid_file: &Path, folders: &[&Path]) -> io::Result<Child> {
    const SCRIPT: &str = r#"
        read -r _
        pid=$(head -n 1 "$1" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
        shift
        tries=0
        while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        rm -rf "$@"
    "#;
    Command::new("sh")
        .args(["-c", SCRIPT, "cartage-demo-watchdog"])
        .arg(pid_file)
        .args(folders)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}
