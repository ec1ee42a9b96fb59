//! The daemon between the shops: watched, killed while others work, and asked for verifications.

use std::pin::pin;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::demo::DemoError;
use crate::demo::daemon::Daemon;
use crate::demo::run::Patience;
use crate::demo::screen::Screen;
use crate::demo::storefront::Storefront;
use crate::demo::watch::{Sight, Watch};
use crate::params;

const DEADLINE: Duration = Duration::from_secs(90);

pub struct Stage<'a> {
    pub watch: Watch,
    pub daemon: Daemon,
    pub screen: &'a Screen,
    storefront: Option<Storefront>,
    /// Of a storefront that has closed.
    transactions: u64,
    rng: Rng,
    pub kills: u32,
}

/// When the daemon is killed while something goes on.
#[derive(Debug, Clone, Copy)]
pub struct Kills {
    /// The first comes within this time, the others about as long as this apart.
    pub every: Duration,
    pub most: u32,
}

impl<'a> Stage<'a> {
    pub fn new(
        watch: Watch,
        daemon: Daemon,
        screen: &'a Screen,
        storefront: Storefront,
        rng: Rng,
    ) -> Self {
        Stage {
            watch,
            daemon,
            screen,
            storefront: Some(storefront),
            transactions: 0,
            rng,
            kills: 0,
        }
    }

    /// Those of the old shop's customers so far.
    pub fn transactions(&self) -> u64 {
        let open = self.storefront.as_ref().map(Storefront::transactions);
        open.unwrap_or(self.transactions)
    }

    pub async fn close_storefront(&mut self) -> Result<(), DemoError> {
        if let Some(storefront) = self.storefront.take() {
            self.transactions = storefront.close().await?;
        }
        Ok(())
    }

    /// Does something that takes time, and kills the daemon meanwhile. Says how often.
    pub async fn amid_kills<T>(
        &mut self,
        kills: Kills,
        work: impl Future<Output = Result<T, DemoError>>,
    ) -> Result<(T, u32), DemoError> {
        let mut work = pin!(work);
        let mut killed = 0;
        loop {
            let share = match killed {
                0 => self.rng.f64(),
                _ => 0.5 + self.rng.f64(),
            };
            let calm = kills.every.mul_f64(share);
            tokio::select! {
                done = &mut work => return Ok((done?, killed)),
                () = sleep(calm), if killed < kills.most => {
                    let down = Duration::from_millis(self.rng.u64(0..500));
                    self.kill(down).await?;
                    killed += 1;
                }
            }
        }
    }

    async fn kill(&mut self, down: Duration) -> Result<(), DemoError> {
        self.daemon.kill().await?;
        self.kills += 1;
        self.screen
            .step(&format!("SIGKILL, and down for {} ms", down.as_millis()));
        sleep(down).await;
        self.daemon.start()
    }

    /// What another command of the program says in JSON; it may end well, or find something.
    pub fn ask(
        &self,
        command: &'static str,
        arguments: &[&str],
    ) -> Result<impl Future<Output = Result<Value, DemoError>> + 'static, DemoError> {
        let said = self.daemon.beside(command, arguments)?;
        Ok(async move {
            let said = said.await?;
            serde_json::from_slice(&said)
                .map_err(|error| DemoError::io(command, std::io::Error::other(error)))
        })
    }

    /// Waits until all that the old shop's log holds by now is in the new one.
    pub async fn catch_up(&mut self) -> Result<(), DemoError> {
        let end = self.watch.written().await?;
        self.watch.tick().await?;
        self.until("the daemon to catch up", |sight| sight.applied >= end)
            .await
    }

    /// The same once nobody writes any more, and no cart waits to be read or tried.
    pub async fn drain(&mut self) -> Result<(), DemoError> {
        let end = self.watch.written().await?;
        let mut held_since = None;
        let mut patience = Patience::new(DEADLINE);
        loop {
            self.watch.tick().await?;
            let sight = self.glance().await?;
            if sight.applied >= end && sight.wishes == 0 {
                // What is held now was set aside while it was written; it is tried again by itself.
                let since = *held_since.get_or_insert_with(Instant::now);
                let held = "SELECT count(*) FROM cartage.held";
                let held = self.watch.new_shop().one(held, params![]).await?;
                if held.get::<i64>(0)? == 0 || since.elapsed() > DEADLINE {
                    return Ok(());
                }
            } else if patience.is_over(&sight) {
                return Err(DemoError::Deadline(
                    "the daemon to apply the rest of the log",
                ));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn until(
        &mut self,
        what: &'static str,
        met: impl Fn(&Sight) -> bool,
    ) -> Result<(), DemoError> {
        let mut patience = Patience::new(DEADLINE);
        loop {
            let sight = self.glance().await?;
            if met(&sight) {
                return Ok(());
            }
            if patience.is_over(&sight) {
                return Err(DemoError::Deadline(what));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn glance(&mut self) -> Result<Sight, DemoError> {
        self.daemon.check_alive()?;
        let sight = self.watch.look().await?;
        self.screen.live(&sight, self.transactions());
        Ok(sight)
    }
}
