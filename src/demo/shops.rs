//! The two shops: an old one with its carts, a new one without any, each on a server of its own.

use std::fmt;

use serde::Serialize;

use super::DemoError;
use super::kind::{Found, Kind};
use super::server::Throwaway;
use crate::target::session::Target;

/// Carts that only the probe writes to, in the hope that they fall to different lanes.
pub const PROBES: usize = 8;

/// The programs for both shops, found before anything is started.
#[derive(Debug, Clone)]
pub struct Ground {
    old: (Kind, Found),
    new: (Kind, Found),
}

impl Ground {
    pub fn find(old: Kind, new: Kind) -> Result<Self, DemoError> {
        Ok(Ground {
            old: (old, old.find()?),
            new: (new, new.find()?),
        })
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.old.0, self.new.0) {
            (old, new) if old == new => write!(f, "Two {old} servers"),
            (old, new) => write!(f, "A server of {old} and one of {new}"),
        }
    }
}

/// Both servers, running.
#[derive(Debug)]
pub struct Shops {
    pub old: Shop,
    pub new: Shop,
}

/// A server with the database of one shop.
#[derive(Debug)]
pub struct Shop {
    server: Throwaway,
    database: &'static str,
    pub about: About,
}

/// What a shop lives on.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    pub kind: Kind,
    /// As the server spells it.
    pub version: String,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.version.split(['-', ' ']).next().unwrap_or_default();
        write!(f, "{} {number}", self.kind)
    }
}

impl Shops {
    /// Starts both servers, with an empty database each.
    pub async fn start(ground: Ground) -> Result<Self, DemoError> {
        let ((old, old_found), (new, new_found)) = (ground.old, ground.new);
        let (old_server, new_server) = tokio::try_join!(old_found.start(1), new_found.start(2))?;
        Ok(Shops {
            old: Shop::make(old, old_server, "old_shop").await?,
            new: Shop::make(new, new_server, "new_shop").await?,
        })
    }

    /// Starts both servers and loads the old shop with so many live carts.
    pub async fn open(ground: Ground, carts: u32) -> Result<Self, DemoError> {
        let (old, new) = (ground.old.0, ground.new.0);
        let shops = Self::start(ground).await?;
        shops.old.run(old_shop(old)).await?;
        let data = match old {
            Kind::Postgres => include_str!("postgres/old_shop_data.sql"),
            Kind::Mariadb | Kind::Mysql => include_str!("mysql/old_shop_data.sql"),
        };
        let data = data
            .replace("$CARTS", &carts.to_string())
            .replace("$PROBES", &PROBES.to_string());
        shops.old.run(&data).await?;
        shops.new.run(new_shop(new)).await?;
        Ok(shops)
    }

    /// The pipeline's configuration file.
    pub fn configuration(&self) -> String {
        self.configured(include_str!("pipeline.toml"))
    }

    /// A configuration file between these shops.
    pub fn configured(&self, file: &str) -> String {
        file.replace("$SOURCE_KIND", self.old.about.kind.configured())
            .replace("$TARGET_KIND", self.new.about.kind.configured())
            .replace("$SOURCE", &self.old.url())
            .replace("$TARGET", &self.new.url())
    }
}

impl Shop {
    async fn make(
        kind: Kind,
        server: Throwaway,
        database: &'static str,
    ) -> Result<Self, DemoError> {
        server.create(database).await?;
        let version = server.version(database).await?;
        Ok(Shop {
            server,
            database,
            about: About { kind, version },
        })
    }

    pub async fn session(&self) -> Result<Target, DemoError> {
        self.server.session(self.database).await
    }

    /// Statements of a superuser, one or several.
    pub async fn run(&self, sql: &str) -> Result<(), DemoError> {
        self.server.run(self.database, sql).await
    }

    pub fn url(&self) -> String {
        self.server.url(self.database)
    }
}

/// The tables of the old shop.
pub fn old_shop(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => include_str!("postgres/old_shop.sql"),
        Kind::Mariadb | Kind::Mysql => include_str!("mysql/old_shop.sql"),
    }
}

/// The tables of the new shop.
pub fn new_shop(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => include_str!("postgres/new_shop.sql"),
        Kind::Mariadb | Kind::Mysql => include_str!("mysql/new_shop.sql"),
    }
}
