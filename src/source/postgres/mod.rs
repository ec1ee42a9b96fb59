//! A Postgres source: its slot and publication, and whether they are still the ones we trust.

pub mod identity;
pub mod outline;
pub mod publication;
pub mod slot;
pub mod tables;
