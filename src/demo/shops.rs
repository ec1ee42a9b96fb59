//! The two shops: an old one with its carts, a new one without any, each on a server of its own.

use tokio_postgres::Client;

use super::cluster::{Cluster, ClusterError, Options};

pub const OLD_SHOP: &str = include_str!("old_shop.sql");
pub const NEW_SHOP: &str = include_str!("new_shop.sql");

/// Carts that only the probe writes to, in the hope that they fall to different lanes.
pub const PROBES: usize = 8;

/// Both servers, running.
#[derive(Debug)]
pub struct Shops {
    pub old: Cluster,
    pub new: Cluster,
}

impl Shops {
    /// Starts both servers and loads the old shop with so many live carts.
    pub async fn open(carts: u32) -> Result<Self, ClusterError> {
        let (old, new) = tokio::try_join!(
            Cluster::start(Options::default().own_identity()),
            Cluster::start(Options::default().own_identity()),
        )?;
        let shops = Shops { old, new };
        for (cluster, database) in [(&shops.old, "old_shop"), (&shops.new, "new_shop")] {
            let admin = cluster.client("postgres").await?;
            admin
                .batch_execute(&format!("CREATE DATABASE {database}"))
                .await?;
        }
        let old = shops.old_client().await?;
        old.batch_execute(OLD_SHOP).await?;
        let data = include_str!("old_shop_data.sql")
            .replace("$CARTS", &carts.to_string())
            .replace("$PROBES", &PROBES.to_string());
        old.batch_execute(&data).await?;
        shops.new_client().await?.batch_execute(NEW_SHOP).await?;
        Ok(shops)
    }

    pub async fn old_client(&self) -> Result<Client, ClusterError> {
        self.old.client("old_shop").await
    }

    pub async fn new_client(&self) -> Result<Client, ClusterError> {
        self.new.client("new_shop").await
    }

    /// The pipeline's configuration file.
    pub fn configuration(&self) -> String {
        include_str!("pipeline.toml")
            .replace("$SOURCE", &self.old.url("old_shop"))
            .replace("$TARGET", &self.new.url("new_shop"))
    }
}
