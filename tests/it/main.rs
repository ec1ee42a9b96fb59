//! Tests against real servers, which they start themselves: one binary, a module for each matter.
#![allow(clippy::unwrap_used)]

mod commands;
mod demo_oracle;
mod expression_oracle;
mod protocol;
mod reload;
mod scenario;
mod setup;
mod systemd;
