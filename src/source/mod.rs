//! The old backend: its log, decoded into changes, and its snapshots.

pub mod change;
pub mod postgres;
pub mod snapshot;
