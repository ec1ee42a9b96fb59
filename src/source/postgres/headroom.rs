//! Warning of a slot that the source is about to give up (hazard 12).

use tracing::{info, warn};

use super::identity::IdentityError;
use super::slot;
use crate::source::standing::Pressure;
use tokio_postgres::Client;

/// A slot that was lost is an error; one that will be is warned of, once each time that it comes
/// nearer.
pub async fn look(
    source: &Client,
    name: &str,
    before: Pressure,
) -> Result<Pressure, IdentityError> {
    let end = slot::end_of_log(source).await?;
    let found = slot::find(source, name).await?;
    let slot = found.ok_or_else(|| IdentityError::SlotMissing(name.to_owned()))?;
    if let Some(reason) = &slot.lost {
        let (slot, reason) = (name.to_owned(), reason.clone());
        return Err(IdentityError::SlotLost { slot, reason });
    }
    let pressure = slot.pressure(end);
    let (retained, headroom) = (slot.retained(end), slot.safe_wal_size);
    let slot = name;
    match pressure {
        Pressure::None if before != Pressure::None => {
            info!(slot, headroom, "the replication slot has room again");
        }
        Pressure::Low if before < Pressure::Low => warn!(
            slot,
            retained,
            headroom,
            "less than a quarter of the log that the source keeps for the replication slot is \
             left (headroom, in bytes): it is given up after that; find out what holds the \
             pipeline back, or raise max_slot_wal_keep_size on the source"
        ),
        Pressure::Unreserved if before < Pressure::Unreserved => warn!(
            slot,
            retained,
            headroom,
            "the source gives the replication slot up at its next checkpoint (wal_status \
             unreserved): raise max_slot_wal_keep_size there at once, and find out what holds \
             the pipeline back"
        ),
        _ => {}
    }
    Ok(pressure)
}
