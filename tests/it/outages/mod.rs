//! Servers that go away and come back, fill up, stop taking writes, or are replaced by their standby,
//! while the daemon runs and the old shop sells.

mod backoff;
mod disk_full;
mod failover;
mod faults;
pub mod pair;
mod read_only;
mod restarts;
pub mod seller;
