//! Between two servers of Postgres.

mod copy;
mod debezium;
mod drain;
mod native;

use cartage::demo::cluster::Cluster;

use crate::judge::{Counts, judge};
use crate::ours::{self, Program};
use crate::report::{Goal, Report, Table, in_turn};
use crate::run::Run;
use crate::server::Server;
use crate::shop::OldShop;
use crate::{Result, Size};
use debezium::Debezium;
use native::Durability;

/// Transactions a second, of which the first is judged.
const RATES: [u64; 2] = [500, 2_000];

/// Rows of the large transaction.
const LARGE: u64 = 1_000_000;

const CARTAGE: &str = "cartage";
const DRAIN: &str = "pg_recvlogical, nothing applied";
const DEBEZIUM: &str = "Debezium, nothing applied";
const NATIVE: &str = "native, commits not on disk";
const DURABLE: &str = "native, commits on disk";
const COPY: &str = "COPY pipe, foreign keys on";

/// `delayed` says whether delays are measured too, which takes two minutes.
pub async fn run(size: Size, delayed: bool, report: &mut Report) -> Result<()> {
    let mut old = OldShop::open(Server::postgres().await?, size).await?;
    let new = Server::postgres().await?;
    let program = Program::new(size.lanes)?;
    let mut debezium = Debezium::find().await;
    let mut table = Table::new("Backfill, Postgres to Postgres", size.carts * 4, 0);
    for round in 1..=size.rounds {
        if let Server::Postgres(cluster) = &new {
            table.add(COPY, copy::copy(&old, &new, cluster).await?);
        }
        table.add(NATIVE, native::copy(&old, &new).await?);
        table.add(CARTAGE, program.backfill(&old, &new).await?);
        let verdict = judge(&old, &new, ours::BASE, Counts::default()).await?;
        table.verdicts.push(verdict);
        eprintln!("bench: backfill, round {round} of {}", size.rounds);
    }
    let speed = |over: &str| table.over(|run| run.seconds, over, CARTAGE);
    report.ratio("backfill_vs_copy", Goal::AtLeast(1.0), speed(COPY));
    report.ratio("backfill_vs_native", Goal::AtLeast(0.6), speed(NATIVE));
    report.table(table);

    old.begin_backlog(ours::SLOT).await?;
    old.sell(size).await?;
    let backlog = old.backlog.clone();
    let title = "Catch-up, Postgres to Postgres";
    let mut table = Table::new(title, backlog.rows, backlog.transactions);
    for round in 1..=size.rounds {
        for name in in_turn([DRAIN, DEBEZIUM, NATIVE, CARTAGE, DURABLE], round) {
            // Each of its commits waits for the disk, which takes minutes: once is enough to tell.
            if name == DURABLE && round > 1 {
                continue;
            }
            let run = match name {
                DRAIN => drain::drain(&old).await?,
                DEBEZIUM => match debezium.turn(&old).await? {
                    Some(run) => run,
                    None => continue,
                },
                NATIVE => native::catch_up(&old, &new, Durability::AsItComes).await?,
                DURABLE => native::catch_up(&old, &new, Durability::Full).await?,
                _ => {
                    let before = program.begins(&new).await?;
                    let run = program.catch_up(&old, &new).await?;
                    let verdict = judge(&old, &new, ours::CURRENT, before).await?;
                    table.verdicts.push(verdict);
                    new.discard(ours::CURRENT).await?;
                    run
                }
            };
            table.add(name, run);
        }
        eprintln!("bench: catch-up, round {round} of {}", size.rounds);
    }
    let speed = |over: &str| table.over(|run| run.seconds, over, CARTAGE);
    report.ratio("catchup_vs_native", Goal::AtLeast(2.0), speed(NATIVE));
    report.ratio(
        "catchup_vs_native_durable",
        Goal::AtLeast(6.0),
        speed(DURABLE),
    );
    report.ratio("catchup_vs_drain", Goal::AtLeast(0.8), speed(DRAIN));
    let memory = table.over(|run| run.peak_mib.unwrap_or(f64::NAN), CARTAGE, DEBEZIUM);
    for (name, goal, values) in [
        ("catchup_vs_debezium", Goal::AtLeast(2.5), speed(DEBEZIUM)),
        ("memory_vs_debezium", Goal::AtMost(0.2), memory),
    ] {
        report.ratio_if_any(name, goal, values, debezium.missing());
    }
    let cpu = table.over(|run| run.applier_cpu.unwrap_or(f64::NAN), CARTAGE, NATIVE);
    report.ratio("daemon_cpu_vs_native_worker", Goal::AtMost(0.5), cpu);
    let peaks = table.contenders.iter().filter(|c| c.name == CARTAGE);
    let peaks: Vec<f64> = peaks
        .flat_map(|c| &c.runs)
        .map(|run: &Run| run.peak_mib.unwrap_or(f64::NAN))
        .collect();
    report.ratio("peak_mib_following", Goal::AtMost(64.0), peaks);
    report.table(table);
    if let Server::Postgres(cluster) = &new
        && delayed
    {
        delays(&old, &new, cluster, &program, report).await?;
    }
    Ok(())
}

async fn delays(
    old: &OldShop,
    new: &Server,
    cluster: &Cluster,
    program: &Program,
    report: &mut Report,
) -> Result<()> {
    let native = native::delays(DURABLE, old, new, cluster, &RATES).await?;
    let ours = program.delays(CARTAGE, old, new, cluster, &RATES).await?;
    let (slow, native_slow) = (&ours[0], &native[0]);
    report.ratio("delay_p50_ms", Goal::AtMost(5.0), vec![slow.p50_ms]);
    report.ratio("delay_p99_ms", Goal::AtMost(15.0), vec![slow.p99_ms]);
    let over = vec![slow.p99_ms / native_slow.p99_ms];
    report.ratio("delay_p99_vs_native_durable", Goal::AtMost(2.0), over);
    report.delays.extend(native.into_iter().chain(ours));
    Ok(())
}

/// The most memory over a transaction of a million rows.
pub async fn large(size: Size, report: &mut Report) -> Result<()> {
    let size = Size {
        carts: LARGE / 3 + 1,
        ..size
    };
    let mut old = OldShop::open(Server::postgres().await?, size).await?;
    let new = Server::postgres().await?;
    let program = Program::new(size.lanes)?;
    program.backfill(&old, &new).await?;
    old.begin_backlog(ours::SLOT).await?;
    old.sell_at_once(LARGE).await?;
    let before = program.begins(&new).await?;
    let run = program.catch_up(&old, &new).await?;
    let peak = run.peak_mib.unwrap_or(f64::NAN);
    let backlog = &old.backlog;
    let mut table = Table::new("A large transaction", backlog.rows, backlog.transactions);
    table.add(CARTAGE, run);
    let verdict = judge(&old, &new, ours::CURRENT, before).await?;
    table.verdicts.push(verdict);
    report.table(table);
    report.ratio(
        "peak_mib_large_transaction",
        Goal::AtMost(128.0),
        vec![peak],
    );
    Ok(())
}
