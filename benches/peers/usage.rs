//! What processes have used, as the kernel counts it (proc(5)).

use std::fs;

use rustix::param::clock_ticks_per_second;

/// How often a reading is repeated that a child has spoilt by its end.
const TRIES: usize = 10;

/// CPU seconds of one process alone: the harness itself has servers for children, and what they
/// take is not its own. None where there is no such process any more.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    times(pid).map(|times| seconds(times.own))
}

/// CPU seconds of a server: its own, those of its children that have ended, and of those that live.
pub fn server_seconds(pid: u32) -> Option<f64> {
    let mut before = times(pid)?;
    for _ in 1..TRIES {
        let (living, after) = (living(pid), times(pid)?);
        // The kernel moves what a child has used to its parent's account once the child has ended.
        // One that ended while we read would be missing, or be there twice.
        if after.ended == before.ended {
            return Some(seconds(after.own + after.ended + living));
        }
        before = after;
    }
    Some(seconds(before.own + before.ended + living(pid)))
}

/// The most memory that a process has had at once, in MiB, shared memory included.
pub fn peak_mib(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

/// In ticks of the clock.
struct Times {
    /// utime and stime.
    own: u64,
    /// cutime and cstime: children that have ended and were waited for, and theirs.
    ended: u64,
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / clock_ticks_per_second() as f64
}

/// The 14th to the 17th field. The second, the name, may have spaces.
fn times(pid: u32) -> Option<Times> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = stat.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(Times {
        own: next()? + next()?,
        ended: next()? + next()?,
    })
}

/// What the children that live have used. A server's workers have no children that live.
fn living(pid: u32) -> u64 {
    // Children belong to the thread that made them; a postmaster has one, and mariadbd no children.
    let path = format!("/proc/{pid}/task/{pid}/children");
    let list = fs::read_to_string(path).unwrap_or_default();
    list.split_whitespace()
        .filter_map(|id| times(id.parse().ok()?))
        .map(|times| times.own + times.ended)
        .sum()
}
