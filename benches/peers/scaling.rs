//! How fast cartage catches up as one thing after the other is changed.

use crate::judge::judge;
use crate::ours::{self, Program};
use crate::report::{Axis, Curve, Report, Verdict, median};
use crate::run::Run;
use crate::server::Server;
use crate::shop::OldShop;
use crate::{Result, Size};

const LANES: [usize; 3] = [1, 2, 4];
const BATCHES: [usize; 4] = [100, 1_000, 5_000, 20_000];
const CARTS: [u64; 3] = [10_000, 100_000, 1_000_000];
const ROWS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// How customers choose their carts, as pgbench says it.
const DRAWS: [(&str, &str); 3] = [
    ("uniform", "random(1, $CARTS)"),
    ("zipf 1.1", "random_zipfian(1, $CARTS, 1.1)"),
    ("zipf 1.5", "random_zipfian(1, $CARTS, 1.5)"),
];

const RATE: &str = "rows a second";

/// Shops with their carts brought over, and the backlog waiting.
struct Ground {
    old: OldShop,
    new: Server,
    program: Program,
}

impl Ground {
    async fn prepare(size: Size) -> Result<Self> {
        let old = OldShop::open(Server::postgres().await?, size).await?;
        let new = Server::postgres().await?;
        let program = Program::new(size.lanes)?;
        program.backfill(&old, &new).await?;
        let mut ground = Self { old, new, program };
        ground.old.begin_backlog(ours::SLOT).await?;
        Ok(ground)
    }

    /// The median rate of some rounds, and how the last of them left the target.
    async fn rate(&self, rounds: usize) -> Result<(f64, Verdict)> {
        let mut rates = Vec::new();
        for _ in 1..rounds {
            rates.push(self.speed(&self.program.catch_up(&self.old, &self.new).await?));
        }
        let (run, verdict) = self.judged().await?;
        rates.push(self.speed(&run));
        Ok((median(rates.into_iter()), verdict))
    }

    fn speed(&self, run: &Run) -> f64 {
        self.old.backlog.rows as f64 / run.seconds
    }

    async fn judged(&self) -> Result<(Run, Verdict)> {
        let before = self.program.begins(&self.new).await?;
        let run = self.program.catch_up(&self.old, &self.new).await?;
        let verdict = judge(&self.old, &self.new, ours::CURRENT, before).await?;
        Ok((run, verdict))
    }
}

/// A curve is in the report once it is whole, whatever becomes of those after it.
pub async fn run(size: Size, report: &mut Report) -> Result<()> {
    let mut ground = Ground::prepare(size).await?;
    ground.old.sell(size).await?;
    let mut curve = Curve::new("lanes", "Lanes", ["lanes", RATE], Axis::Numbers);
    for number in LANES {
        ground.program.lanes = number;
        curve.add(number, ground.rate(size.rounds).await?);
    }
    report.curves.push(curve);
    ground.program.lanes = size.lanes;
    let axes = ["rows in a batch, at most (log scale)", RATE];
    let mut curve = Curve::new("batches", "Size of batches", axes, Axis::Log);
    for rows in BATCHES {
        ground.program.batch_rows = rows;
        curve.add(rows, ground.rate(size.rounds).await?);
    }
    report.curves.push(curve);
    drop(ground);
    let axes = ["how customers choose their carts", RATE];
    let mut curve = Curve::new("hot-carts", "Hot carts", axes, Axis::Names);
    for (name, draw) in DRAWS {
        let mut ground = Ground::prepare(size).await?;
        ground.old.sell_in(size, draw).await?;
        curve.add(name, ground.rate(size.rounds).await?);
    }
    report.curves.push(curve);
    let axes = ["carts (log scale)", RATE];
    let mut curve = Curve::new("carts", "Carts in the target", axes, Axis::Log);
    for carts in CARTS {
        let size = Size { carts, ..size };
        let mut ground = Ground::prepare(size).await?;
        ground.old.sell(size).await?;
        curve.add(carts, ground.rate(size.rounds).await?);
    }
    report.curves.push(curve);
    let axes = ["rows of one transaction (log scale)", "peak memory, MiB"];
    let mut curve = Curve::new("memory", "Memory and large transactions", axes, Axis::Log);
    for rows in ROWS {
        let carts = rows / 3 + 1;
        let mut ground = Ground::prepare(Size { carts, ..size }).await?;
        ground.old.sell_at_once(rows).await?;
        let (run, verdict) = ground.judged().await?;
        curve.add(rows, (run.peak_mib.unwrap_or(f64::NAN), verdict));
    }
    report.curves.push(curve);
    Ok(())
}
