//! Tests against real servers, which they start themselves: one binary, a module for each matter.
#![allow(clippy::unwrap_used)]

mod allocated;
mod beyond;
mod binlog;
mod commands;
mod conflicts;
mod crash;
mod demo_oracle;
mod demo_pairs;
mod drift;
mod explain;
mod expression_oracle;
mod faults;
mod guards;
mod hazards;
mod init;
mod kept_keys;
mod large;
mod lookup;
mod lost_answers;
mod merge;
mod metrics;
mod mysql;
mod outages;
mod presets;
mod protocol;
mod reload;
mod scenario;
mod setup;
mod synthetic;
mod systemd;
mod tls;
mod tutorial;
mod types;
mod verify;
mod walks;
