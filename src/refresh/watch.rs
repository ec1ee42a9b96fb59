//! Watching what the log does not tell: on partitioned tables a leaf's TRUNCATE or DETACH emits
//! nothing, and a table taken out of the publication falls silent (protocol rule 18, hazard 9).

use tokio_postgres::Client;

use super::read::ReadError;
use super::refresher::RefreshError;
use super::runs::{self, Kind};
use crate::source::change::Lsn;
use crate::source::postgres::publication;

pub struct PublicationWatch {
    pub publication: String,
    pub tables: Vec<(String, String)>,
}
