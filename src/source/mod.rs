//! The old backend: its log, decoded into changes, its snapshots, and what is asked of it. Two kinds
//! of servers can be one; which it is, is decided here and nowhere else.

pub mod change;
pub mod spelling;
pub mod snapshot;
pub mod error;
pub mod session;
pub mod outline;
pub mod identity;
pub mod standing;
pub mod ahead;
pub mod stream;
pub mod postgres;
pub mod mysql;

pub use error::{AskError, ConnectError, IdentityError, SourceError};
pub use session::Source;
pub use spelling::Spelling;
pub use stream::{LogStream, LogTables};
