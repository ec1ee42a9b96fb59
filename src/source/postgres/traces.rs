//! What a pipeline leaves on the source: its slot and its publication.

use tokio_postgres::{Client, Error};

use super::{publication, slot};
use crate::source::standing::Traces;
use crate::switch::{self, Place};

pub async fn find(source: &Client, pipeline: &str) -> Result<Traces, Error> {
    let name = slot::name_of(pipeline);
    let slot = slot::find(source, &name).await?;
    let pid = slot.as_ref().and_then(|slot| slot.active_pid);
    let busy = pid.map(|pid| {
        format!(
            "the replication slot {name} is in use by the process {pid} of the source; stop the \
             daemon first (systemctl stop cartage), or run on the source: SELECT \
             pg_terminate_backend({pid})"
        )
    });
    let mut steps = Vec::new();
    if slot.is_some() {
        steps.push(format!("source: drop the replication slot {name}"));
    }
    if publication::find(source, &name).await?.is_some() {
        steps.push(format!("source: drop the publication {name}"));
    }
    Ok(Traces { steps, busy })
}

/// The slot first: without its publication it would be taken for a good one.
pub async fn remove(source: &Client, pipeline: &str) -> Result<(), Error> {
    let name = slot::name_of(pipeline);
    slot::drop(source, &name).await?;
    switch::place(Place::SlotDropped);
    publication::drop(source, &name).await?;
    switch::place(Place::PublicationDropped);
    Ok(())
}
