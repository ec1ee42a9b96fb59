//! A lane's batches on Postgres: all statements of a batch are sent without waiting in between.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::poll;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::statement::{self, Guard};
use super::{claim, ledger, records, rivals};
use crate::cart::key::CartKey;
use crate::mapping::difference::{Patch, RowWrite};
use crate::mapping::plan::Lock;
use crate::switch::{self, Mutant, Place};
use crate::target::claim::Claims;
use crate::target::error::Stumble;
use crate::target::group::{Group, group, has_triggers, rows_applied};
use crate::target::ledger::{LedgerError, Loaded, Records};
use crate::target::rivals::line_headers;
use crate::target::shape::{Kind, has_token};
use crate::target::tables::Tables;
use crate::target::writer::{Step, Tokens, WriteError, count, next};

/// A lane's connection.
pub struct Session {
    client: Arc<Client>,
    tables: Arc<Tables>,
    statements: HashMap<String, Statement>,
    /// Rows that it has written.
    rows: u64,
    /// So many of them and its statements are prepared anew.
    plans_until: u64,
    /// Lines are guarded by unique indexes, where there are such.
    indexed: bool,
}

/// A plan serves for so many written rows, so that plans follow the tables as they grow; at the
/// beginning, for no more than there were before it. Apart from that the server plans anew by itself
/// what it has made new statistics for.
const PLANNED: u64 = 500_000;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>;

impl Session {
    pub async fn new(client: Arc<Client>, tables: Arc<Tables>) -> Result<Self, WriteError> {
        // Rows are found by their keys: whatever the planner thinks of so many at once, a batch is
        // small beside the table, which is not read through for it. Plans are kept, above all those
        // of the server's own checks of foreign keys, which run once for each row.
        client
            .batch_execute(
                "SET plan_cache_mode = force_generic_plan; SET jit = off; \
                 SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off",
            )
            .await?;
        Ok(Self {
            client,
            tables,
            statements: HashMap::new(),
            rows: 0,
            plans_until: 1,
            indexed: true,
        })
    }

    pub async fn load(
        &mut self,
        pipeline: i32,
        carts: &[&CartKey],
    ) -> Result<Vec<Loaded>, LedgerError> {
        let statement = self.prepare(ledger::LOAD).await?;
        ledger::load(&self.client, &statement, pipeline, carts).await
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Opens a transaction, moves the checkpoint, and writes the patches under their guards. After an
    /// error the transaction is rolled back and nothing has happened.
    pub async fn write(
        &mut self,
        patches: &[&Patch],
        claims: &[Claims],
        step: &Step,
    ) -> Result<Tokens, WriteError> {
        match self.try_write(patches, claims, step).await {
            Ok(written) => Ok(written),
            Err(error) => {
                if let WriteError::Database(error) = &error
                    && error.stumble() == Some(Stumble::Index)
                {
                    self.indexed = false;
                }
                // Where the connection is gone there is nothing to roll back.
                let _ = self.client.batch_execute("ROLLBACK").await;
                Err(error)
            }
        }
    }

    async fn try_write(
        &mut self,
        patches: &[&Patch],
        claims: &[Claims],
        step: &Step,
    ) -> Result<Tokens, WriteError> {
        if self.rows >= self.plans_until {
            self.statements.clear();
            self.plans_until = self.rows + self.rows.min(PLANNED);
        }
        self.rows += patches.iter().map(|p| p.writes.len() as u64).sum::<u64>();
        let groups = group(patches, &self.tables);
        let own: Vec<(usize, &[Box<str>])> = patches
            .iter()
            .flat_map(|p| p.own.iter().map(|(into, key)| (*into, &**key)))
            .collect();
        let mut bound = Vec::with_capacity(groups.len());
        let mut guarded = Vec::new();
        for group in &groups {
            let index = group.rows[0].1.index;
            let own = own.iter().filter(|(into, _)| Some(*into) == index);
            let index_guards = self.tables.unique_line(&group.shape.into);
            // Alone, a unit learns what is in its way.
            let guard = match index_guards.filter(|_| self.indexed && patches.len() > 1) {
                Some(columns) => Guard::Index(columns),
                None => {
                    guarded.extend(index);
                    Guard::Look(own.map(|(_, key)| *key).collect())
                }
            };
            let rows: Vec<&RowWrite> = group.rows.iter().map(|(_, row)| *row).collect();
            let bind = group.shape.bind(&rows, &guard);
            let statement = self.prepare(&bind.sql).await?;
            bound.push((statement, bind.params));
        }
        let mut locks = Vec::new();
        for (into, keys) in line_headers(patches, &guarded) {
            let statement = self.prepare(&rivals::lock_rows(into)).await?;
            locks.push((statement, keys));
        }
        let lane_row = self.prepare(MOVE_CHECKPOINT).await?;
        let checkpoint_params: Vec<Box<dyn ToSql + Sync + Send>> = vec![
            Box::new(step.pipeline),
            Box::new(step.lane),
            Box::new(step.epoch),
            Box::new(step.from.lsn.to_string()),
            Box::new(i64::from(step.from.seq)),
            Box::new(step.to.lsn.to_string()),
            Box::new(i64::from(step.to.seq)),
            Box::new(count(step.tally.patches)),
            Box::new(rows_applied(&groups)),
            Box::new(count(step.tally.conflicts)),
            Box::new(count(step.tally.late)),
            Box::new(step.tally.commit_time.map(|t| t as f64 / 1e6)),
            Box::new(count(step.tally.merged_items)),
            Box::new(count(step.tally.merge_conflicts)),
        ];
        let client = &self.client;
        let mut answers: Vec<Answer<'_>> = vec![
            Box::pin(async { client.batch_execute("BEGIN").await.map(|()| 0) }),
            execute(client, &lane_row, &checkpoint_params),
        ];
        answers.extend(locks.iter().map(|(s, params)| send(client, s, params)));
        answers.extend(bound.iter().map(|(s, params)| send(client, s, params)));
        if self.triggers(&groups) {
            // Those that wait for the end of the transaction come before the tokens are read.
            let fire = "SET CONSTRAINTS ALL IMMEDIATE";
            answers.push(Box::pin(async move {
                client.batch_execute(fire).await.map(|()| 0)
            }));
        }
        let counts = pipelined(answers).await?;
        if counts.get(1) != Some(&1) && !switch::mutant(Mutant::NoFence) {
            return Err(WriteError::FencedOff { lane: step.lane });
        }
        // What is no longer there to be locked is for the guards to find.
        for (group, &done) in groups.iter().zip(&counts[2 + locks.len()..]) {
            let rows = group.rows.len() as u64;
            if done != rows && !switch::mutant(Mutant::MissedRows) {
                return Err(WriteError::Guard {
                    table: group.shape.into.full_name(),
                    missed: rows.saturating_sub(done),
                    rows,
                });
            }
        }
        if !claims.is_empty()
            && let Some(claimed) = claim::check(&self.client, step.pipeline, claims).await?
        {
            return Err(WriteError::Claimed(claimed));
        }
        self.tokens(patches, &groups).await
    }

    /// Whether triggers of any written table may change what these statements wrote: one of a line
    /// may write its header.
    fn triggers(&self, groups: &[Group<'_>]) -> bool {
        has_triggers(groups, &self.tables)
    }

    /// The tokens that the writes left. A counter without triggers is known; anything else is read
    /// at the end of our statements, after all triggers have run (protocol rule 20).
    async fn tokens(
        &mut self,
        patches: &[&Patch],
        groups: &[Group<'_>],
    ) -> Result<Tokens, WriteError> {
        let mut tokens: Tokens = patches.iter().map(|p| vec![None; p.writes.len()]).collect();
        let triggers = self.triggers(groups);
        for group in groups {
            let into = &group.shape.into;
            if group.shape.kind == Kind::Delete || !has_token(&into.lock) {
                continue;
            }
            let known = matches!(into.lock, Lock::Counter(_)) && !triggers;
            if known || group.shape.kind == Kind::Check {
                for ((patch, at), row) in &group.rows {
                    tokens[*patch][*at] = match group.shape.kind {
                        Kind::Insert => Some("1".into()),
                        Kind::Check => row.token.clone(),
                        _ => row.token.as_deref().and_then(next),
                    };
                }
                if known {
                    continue;
                }
            }
            let Some(sql) = statement::read_tokens(into) else {
                continue;
            };
            let statement = self.prepare(&sql).await?;
            let keys: Vec<Vec<&str>> = (0..into.key.len())
                .map(|i| group.rows.iter().map(|(_, row)| &*row.key[i]).collect())
                .collect();
            let params: Vec<&(dyn ToSql + Sync)> =
                keys.iter().map(|k| k as &(dyn ToSql + Sync)).collect();
            for row in self.client.query(&statement, &params).await? {
                let ord: i64 = row.get(0);
                let place = usize::try_from(ord - 1)
                    .ok()
                    .and_then(|i| group.rows.get(i));
                if let Some(((patch, at), _)) = place {
                    tokens[*patch][*at] = row.get::<_, Option<&str>>(1).map(Box::from);
                }
            }
        }
        Ok(tokens)
    }

    /// Writes the records and commits.
    pub async fn commit(
        &mut self,
        pipeline: i32,
        lane: i32,
        records: &Records,
    ) -> Result<(), WriteError> {
        let statements = records::statements(records, pipeline, lane);
        let mut prepared = Vec::with_capacity(statements.len());
        for (sql, params) in statements {
            let statement = match self.prepare(sql).await {
                Ok(statement) => statement,
                Err(error) => {
                    let _ = self.client.batch_execute("ROLLBACK").await;
                    return Err(error.into());
                }
            };
            prepared.push((statement, params));
        }
        switch::place(Place::BeforeCommit);
        let client = &self.client;
        let mut answers: Vec<Answer<'_>> = prepared
            .iter()
            .map(|(statement, params)| execute(client, statement, params))
            .collect();
        // A failed record aborts the transaction, and COMMIT then rolls it back.
        answers.push(Box::pin(async {
            client.batch_execute("COMMIT").await.map(|()| 0)
        }));
        switch::asked(Place::CommitSent, pipelined(answers)).await?;
        Ok(())
    }
}

const MOVE_CHECKPOINT: &str = "UPDATE cartage.checkpoint SET lsn = $6::text::pg_lsn, seq = $7, \
        patches = patches + $8, rows_applied = rows_applied + $9, conflicts = conflicts + $10, \
        late = late + $11, merged_items = merged_items + $13, \
        merge_conflicts = merge_conflicts + $14, commit_time = coalesce(to_timestamp($12::float8), commit_time), \
        updated_at = now() \
    WHERE pipeline = $1 AND lane = $2 AND epoch = $3 AND lsn = $4::text::pg_lsn AND seq = $5";

/// Sends a statement whose parameters are columns of texts.
fn send<'a, T: ToSql + Sync + Send>(
    client: &'a Client,
    statement: &'a Statement,
    params: &'a [Vec<T>],
) -> Answer<'a> {
    Box::pin(async move {
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        client.execute(statement, &params).await
    })
}

fn execute<'a>(
    client: &'a Client,
    statement: &'a Statement,
    params: &'a [Box<dyn ToSql + Sync + Send>],
) -> Answer<'a> {
    Box::pin(async move {
        let params: Vec<&(dyn ToSql + Sync)> = params
            .iter()
            .map(|p| p.as_ref() as &(dyn ToSql + Sync))
            .collect();
        client.execute(statement, &params).await
    })
}

/// Sends all requests in order without waiting in between, then collects the answers. The first
/// error is the cause; those after it only say that the transaction is aborted.
async fn pipelined(mut answers: Vec<Answer<'_>>) -> Result<Vec<u64>, tokio_postgres::Error> {
    let mut ready = Vec::with_capacity(answers.len());
    for answer in &mut answers {
        ready.push(match poll!(answer.as_mut()) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        });
    }
    let mut counts = Vec::with_capacity(answers.len());
    let mut failed = None;
    for (answer, ready) in answers.into_iter().zip(ready) {
        let done = match ready {
            Some(done) => done,
            None => answer.await,
        };
        match done {
            Ok(count) => counts.push(count),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(counts),
    }
}
