//! The old backend: its log, decoded into changes, and its rows as of a snapshot.

pub mod change;
pub mod postgres;
