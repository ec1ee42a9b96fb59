//! Tests against real servers, which they start themselves: one binary, a module for each matter.
#![allow(clippy::unwrap_used)]

mod scenario;
mod setup;
