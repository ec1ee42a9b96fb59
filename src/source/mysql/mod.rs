//! A MySQL or MariaDB source: its binlog as events, and whether it is still the log that we trust.

pub mod gtid;
pub mod place;

pub mod session;
pub mod snapshot;
pub mod read;
pub mod keys;
pub mod probe;
pub mod load;

pub mod settings;
pub mod filters;
pub mod headroom;
pub mod identity;
pub mod trust;
pub mod standing;

pub mod error;
pub mod occupant;
mod refused;

mod dump;
pub mod event;
mod feed;
pub mod statement;

mod cells;
pub mod decoder;
mod group;
mod packed;
pub mod stream;
pub mod tables;
mod usual;
mod value;

pub use decoder::Known;
pub use error::SourceError;
pub use session::Session;
pub use stream::{LogStream, Mark, Origin};
pub use tables::LogTables;
