//! Sessions of their own for synthetic carts, opened on a thread that may wait: what connects is no
//! future that can go from thread to thread, and the worker is a task that does.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::SyntheticError;
use crate::config::Endpoint;
use crate::source::Source;
use crate::target::session::Target;

/// As the servers show these sessions.
const PURPOSE: &str = "synthetic";

pub async fn source(endpoint: &Endpoint) -> Result<Source, SyntheticError> {
    let (endpoint, runtime) = (endpoint.clone(), Handle::current());
    let connected = spawn_blocking(move || runtime.block_on(Source::watched(&endpoint, PURPOSE)));
    let connected = connected.await.map_err(|_| SyntheticError::GivenUp)?;
    Ok(connected?)
}

pub async fn target(endpoint: &Endpoint) -> Result<Target, SyntheticError> {
    let (endpoint, runtime) = (endpoint.clone(), Handle::current());
    let connected = spawn_blocking(move || runtime.block_on(Target::watched(&endpoint, PURPOSE)));
    let connected = connected.await.map_err(|_| SyntheticError::GivenUp)?;
    Ok(connected?)
}
