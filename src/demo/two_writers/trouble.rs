//! A new shop that makes it hard: a clerk who locks rows in another order than cartage does, so that
//! transactions deadlock, and a trigger that breaks some writes off as one that cannot be put in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Carts;
use crate::demo::DemoError;
use crate::demo::cluster::ClusterError;
use crate::demo::shops::Shops;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

/// Carts that the clerk looks at in one transaction.
const AT_ONCE: usize = 40;

pub struct Trouble {
    clerk: JoinHandle<Result<u64, TargetError>>,
    closing: Arc<AtomicBool>,
    session: Target,
}

/// How often there was trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Troubles {
    /// Deadlocks that the server broke off, whoever had to give way.
    pub deadlocks: i64,
    /// Those in which the clerk had to.
    pub clerk_gave_way: u64,
    /// Writes that the trigger broke off; null where the server does not remember them.
    pub broken_off: Option<i64>,
}

const POSTGRES: &str = "
    ALTER DATABASE new_shop SET deadlock_timeout = '20ms';
    CREATE SEQUENCE broken_off;
    CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') LIKE 'cartage%' AND random() < 0.004 THEN
            PERFORM nextval('broken_off');
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER break_off BEFORE INSERT OR UPDATE ON cart_line
    FOR EACH ROW EXECUTE FUNCTION break_off();";

const MYSQL: &str = "
    CREATE TRIGGER break_off BEFORE UPDATE ON cart_line FOR EACH ROW
    BEGIN
        IF rand() < 0.002 THEN
            SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1020, MESSAGE_TEXT = 'Record has changed';
        END IF;
    END";

impl Trouble {
    pub async fn begin(shops: &Shops, carts: Carts, seed: u64) -> Result<Self, DemoError> {
        let session = shops.new.session().await?;
        shops
            .new
            .run(match &session {
                Target::Postgres(_) => POSTGRES,
                Target::Mysql(_) => MYSQL,
            })
            .await?;
        let closing = Arc::new(AtomicBool::new(false));
        let clerk = clerk(
            shops.new.session().await?,
            carts,
            Rng::with_seed(seed),
            Arc::clone(&closing),
        );
        Ok(Trouble {
            clerk: tokio::spawn(clerk),
            closing,
            session,
        })
    }

    pub async fn end(self) -> Result<Troubles, DemoError> {
        self.closing.store(true, Ordering::Relaxed);
        let clerk_gave_way = self.clerk.await.map_err(|error| ClusterError::Program {
            program: "the clerk".into(),
            output: error.to_string(),
        })??;
        let deadlocks = Words::each(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
            match &self.session {
                Target::Mysql(session)
                    if session.flavor == crate::mysql::connect::Flavor::MariaDb =>
                {
                    "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status
                     WHERE variable_name = 'INNODB_DEADLOCKS'"
                }
                _ => {
                    "SELECT CAST(count AS SIGNED) FROM information_schema.innodb_metrics
                      WHERE name = 'lock_deadlocks'"
                }
            },
        );
        let broken_off = match &self.session {
            Target::Postgres(_) => {
                let last = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM broken_off";
                Some(self.session.one(last, params![]).await?.get(0)?)
            }
            Target::Mysql(_) => None,
        };
        Ok(Troubles {
            deadlocks: self.session.one(deadlocks, params![]).await?.get(0)?,
            clerk_gave_way,
            broken_off,
        })
    }
}

/// Locks the lines of some carts, from the last one to the first, and only then their headers.
async fn clerk(
    session: Target,
    carts: Carts,
    mut rng: Rng,
    closing: Arc<AtomicBool>,
) -> Result<u64, TargetError> {
    let mut gave_way = 0;
    while !closing.load(Ordering::Relaxed) {
        let mut some: Vec<i64> = (0..AT_ONCE).map(|_| rng.i64(1..=carts.hot)).collect();
        some.sort_unstable();
        session.run("BEGIN").await?;
        match look(&session, &some).await {
            Ok(()) => session.run("COMMIT").await?,
            Err(error) if error.stumble().is_some() => {
                session.run("ROLLBACK").await?;
                gave_way += 1;
            }
            Err(error) => return Err(error),
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(gave_way)
}

async fn look(session: &Target, carts: &[i64]) -> Result<(), TargetError> {
    for cart in carts.iter().rev() {
        let lines = "SELECT id FROM cart_line WHERE cart_id = $1 FOR UPDATE";
        session.query(lines, params![*cart]).await?;
    }
    for cart in carts {
        let header = "SELECT id FROM cart WHERE id = $1 FOR UPDATE";
        session.query(header, params![*cart]).await?;
    }
    Ok(())
}
