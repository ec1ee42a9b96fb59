//! A Postgres source: its slot and publication, whether they are still the ones we trust, and the
//! log that comes from them.

pub mod tables;
pub mod copy;
pub mod read;
pub mod owners;
pub mod keys;
pub mod probe;
pub mod load;
pub mod moved;

pub mod publication;
pub mod slot;
pub mod traces;

pub mod identity;
pub mod lineage;
pub mod headroom;

pub mod error;
mod feed;
pub mod pgoutput;
pub mod relation;
pub mod stream;

pub use error::SourceError;
pub use relation::LogTables;
pub use stream::{LogStream, Origin};
