//! Sequences of Postgres: serial and identity columns, and defaults that name a sequence.

use tokio_postgres::{Client, Error};

use super::{Column, Standing, Theirs, floor, is_behind, reach};
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::target::control::key_map::SEQUENCE;
use crate::target::error::TargetError;

/// A sequence as the catalog has it.
#[derive(Debug)]
pub struct Sequence {
    oid: i64,
    pub spelled: String,
    /// The last number that it gave, if we may read it.
    pub last: Option<i64>,
    start: i64,
    step: i64,
    most: i64,
    is_readable: bool,
    is_ours: bool,
    role: String,
    owner: String,
}

impl Sequence {
    /// How it stands as the source's.
    pub fn theirs(&self) -> Theirs {
        match (self.is_readable, self.last) {
            (false, _) => Theirs::Hidden(format!(
                "GRANT SELECT ON SEQUENCE {} TO {}",
                self.spelled, self.role
            )),
            (true, Some(last)) => Theirs::Last(last.into()),
            (true, None) => Theirs::None,
        }
    }
}

/// The sequence of a column (schema, table, column), if it has one.
pub async fn of(
    client: &Client,
    (schema, table, column): (&str, &str, &str),
) -> Result<Option<Sequence>, Error> {
    let found = client
        .query_one(SEQUENCE, &[&schema, &table, &column])
        .await?;
    let Some(oid) = found.try_get::<_, Option<i64>>(0)? else {
        return Ok(None);
    };
    let sql = "
        SELECT c.oid::pg_catalog.regclass::text, s.seqstart, s.seqincrement, s.seqmax,
               pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT'),
               pg_catalog.pg_has_role(c.relowner, 'USAGE'),
               pg_catalog.quote_ident(current_user),
               pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)),
               CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT')
                    THEN pg_catalog.pg_sequence_last_value(c.oid) END
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
        WHERE c.oid = $1::bigint::pg_catalog.oid";
    let row = client.query_one(sql, &[&oid]).await?;
    Ok(Some(Sequence {
        oid,
        spelled: row.try_get(0)?,
        start: row.try_get(1)?,
        step: row.try_get(2)?,
        most: row.try_get(3)?,
        is_readable: row.try_get(4)?,
        is_ours: row.try_get(5)?,
        role: row.try_get(6)?,
        owner: row.try_get(7)?,
        last: row.try_get(8)?,
    }))
}

/// The greatest number in a column.
pub async fn greatest(
    client: &Client,
    (schema, table, column): (&str, &str, &str),
) -> Result<Option<i128>, Error> {
    let sql = format!(
        "SELECT pg_catalog.trunc(max({})::numeric)::text FROM {}",
        quoted_name(column),
        quoted(schema, table)
    );
    let text: Option<String> = client.query_one(&sql, &[]).await?.try_get(0)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

pub async fn stand(
    client: &Client,
    column: Column,
    source: Theirs,
) -> Result<Standing, TargetError> {
    let names = (&*column.schema, &*column.table, &*column.name);
    let answer = || TargetError::Answer(format!("the sequence of {}", column.name));
    let sequence = of(client, names).await?.ok_or_else(answer)?;
    let greatest = greatest(client, names).await?;
    let own = sequence.last.map(i128::from);
    let next = match own {
        Some(last) => last + 1,
        None => sequence.start.into(),
    };
    let behind = floor(&source, greatest).filter(|floor| is_behind(next, *floor));
    let to = behind.map(|floor| {
        let given = own.unwrap_or(sequence.start.into());
        reach(given, sequence.step.max(1).into(), floor)
    });
    let refused = to.and_then(|to| cannot(&sequence, to));
    Ok(Standing {
        counter: sequence.spelled,
        own,
        source,
        greatest,
        to,
        refused,
        moved: false,
        column,
    })
}

/// Why we do not move it.
fn cannot(sequence: &Sequence, to: i128) -> Option<String> {
    let Sequence { spelled, owner, .. } = sequence;
    if sequence.step < 0 {
        return Some(format!("{spelled} counts down; it is left to you"));
    }
    if to > sequence.most.into() {
        return Some(format!(
            "{spelled} ends at {}, before that: ALTER SEQUENCE {spelled} MAXVALUE …",
            sequence.most
        ));
    }
    if !sequence.is_ours {
        let quoted = spelled.replace('\'', "''");
        return Some(format!(
            "only its owner can have it stand still while it is moved; as {owner}: \
             BEGIN; ALTER SEQUENCE {spelled} INCREMENT BY {}; \
             SELECT setval('{quoted}', greatest(last_value, {to})) FROM {spelled}; COMMIT;",
            sequence.step
        ));
    }
    None
}

/// In a transaction in which nobody is given a number: what alters a sequence waits for all that have
/// taken one in open transactions, and keeps others from it.
pub async fn advance(client: &Client, standing: Standing) -> Result<Standing, TargetError> {
    let moved = within(client, standing).await;
    let end = match moved {
        Ok(_) => "COMMIT",
        Err(_) => "ROLLBACK",
    };
    let ended = client.batch_execute(end).await;
    let moved = moved?;
    ended?;
    Ok(moved)
}

async fn within(client: &Client, mut standing: Standing) -> Result<Standing, TargetError> {
    let column = &standing.column;
    let names = (&*column.schema, &*column.table, &*column.name);
    let answer = || TargetError::Answer(format!("the sequence of {}", column.name));
    let sequence = of(client, names).await?.ok_or_else(answer)?;
    // To its own step: it changes nothing, and takes the lock.
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER SEQUENCE {} INCREMENT BY {}",
        sequence.spelled, sequence.step
    );
    client.batch_execute(&begin).await?;
    let sql = format!("SELECT last_value, is_called FROM {}", sequence.spelled);
    let row = client.query_one(&sql, &[]).await?;
    let (last, called): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
    standing.greatest = greatest(client, names).await?;
    let next = i128::from(last) + i128::from(called);
    standing.own = called.then_some(last.into());
    standing.to = floor(&standing.source, standing.greatest)
        .filter(|floor| is_behind(next, *floor))
        .map(|floor| reach(last.into(), sequence.step.max(1).into(), floor));
    let Some(to) = standing.to else {
        return Ok(standing);
    };
    standing.refused = cannot(&sequence, to);
    if standing.refused.is_none() {
        let to = i64::try_from(to).map_err(|_| answer())?;
        let sql = "SELECT pg_catalog.setval($1::bigint::pg_catalog.oid::pg_catalog.regclass, $2)";
        client.query_one(sql, &[&sequence.oid, &to]).await?;
        standing.moved = true;
    }
    Ok(standing)
}
