//! Opens an SQL connection to an endpoint.

use crate::config::Endpoint;
use tokio_postgres::{Client, Error, NoTls};

pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Client, Error> {
    let mut config: tokio_postgres::Config = endpoint.url.0.parse()?;
    if let Some(password) = &endpoint.password {
        config.password(&password.0);
    }
    config.application_name(format!("cartage {purpose}"));
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
