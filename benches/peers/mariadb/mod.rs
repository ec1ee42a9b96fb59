//! From MariaDB, into Postgres and into MariaDB.

mod drain;
mod replica;

use crate::judge::{Counts, judge};
use crate::ours::{self, Program};
use crate::report::{Goal, Report, Table, in_turn};
use crate::server::Server;
use crate::shop::OldShop;
use crate::{Failed, Result, Size};

/// Why there is no ratio over the drain: the others are always there.
const MISSING: &str = "there is no mariadb-binlog; scripts/setup-tools bench installs it";
const DRAIN: &str = "mariadb-binlog, nothing applied";
const REPLICA: &str = "MariaDB's replica, 4 threads";
const TO_POSTGRES: &str = "cartage to Postgres";
const TO_MARIADB: &str = "cartage to MariaDB";

pub async fn run(size: Size, report: &mut Report) -> Result<()> {
    let mut old = OldShop::open(Server::mariadb(1, true).await?, size).await?;
    let Server::Mariadb(server) = &old.server else {
        return Err(Failed::because("the old shop is not on MariaDB"));
    };
    let port = server.port();
    let (postgres, mariadb) = (Server::postgres().await?, Server::mariadb(2, false).await?);
    let to_postgres = Program::new(size.lanes)?;
    let to_mariadb = Program::new(size.lanes)?;
    let mut table = Table::new("Backfill from MariaDB", size.carts * 4, 0);
    for (name, program, new) in [
        (TO_POSTGRES, &to_postgres, &postgres),
        (TO_MARIADB, &to_mariadb, &mariadb),
    ] {
        table.add(name, program.backfill(&old, new).await?);
        let verdict = judge(&old, new, ours::BASE, Counts::default()).await?;
        table.verdicts.push(verdict);
    }
    report.table(table);
    old.begin_backlog(ours::SLOT).await?;
    replica::begin(&old, &mariadb, port).await?;
    // Half of it is enough for these, which take their time.
    let half = Size {
        transactions: size.transactions / 2,
        ..size
    };
    old.sell(half).await?;
    let backlog = old.backlog.clone();
    let mut table = Table::new("Catch-up from MariaDB", backlog.rows, backlog.transactions);
    for round in 1..=size.rounds {
        for name in in_turn([DRAIN, REPLICA, TO_POSTGRES, TO_MARIADB], round) {
            let (program, new) = match name {
                DRAIN => {
                    if let Some(drained) = drain::drain(&old, port).await? {
                        table.add(name, drained);
                    }
                    continue;
                }
                REPLICA => {
                    table.add(name, replica::catch_up(&old, &mariadb).await?);
                    continue;
                }
                TO_POSTGRES => (&to_postgres, &postgres),
                _ => (&to_mariadb, &mariadb),
            };
            let before = program.begins(new).await?;
            table.add(name, program.catch_up(&old, new).await?);
            let verdict = judge(&old, new, ours::CURRENT, before).await?;
            table.verdicts.push(verdict);
            new.discard(ours::CURRENT).await?;
        }
        eprintln!("bench: from MariaDB, round {round} of {}", size.rounds);
    }
    for (name, goal, slower, ours) in [
        ("mariadb_postgres_vs_replica", 4.0, REPLICA, TO_POSTGRES),
        ("mariadb_mariadb_vs_replica", 2.0, REPLICA, TO_MARIADB),
        ("mariadb_postgres_vs_drain", 0.3, DRAIN, TO_POSTGRES),
    ] {
        let speed = table.over(|run| run.seconds, slower, ours);
        report.ratio_if_any(name, Goal::AtLeast(goal), speed, MISSING);
    }
    report.table(table);
    Ok(())
}
