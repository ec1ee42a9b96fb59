//! Tables that are not as they were: what has changed, and the statement that puts it back.

use tokio_postgres::types::Oid;
use tokio_postgres::{Client, Error};

use crate::source::postgres::tables::{quoted, quoted_name};

/// A table as a mapping was compiled against it.
#[derive(Clone, Debug)]
pub struct Was {
    pub oid: Option<Oid>,
    pub schema: String,
    pub name: String,
    /// Number where it is known, name, type.
    pub columns: Vec<(Option<i16>, String, String)>,
}

/// `types`: whether a column must have the type back that it had.
pub async fn mends(client: &Client, was: &Was, types: bool) -> Result<Vec<String>, Error> {
    let full = quoted(&was.schema, &was.name);
    let sql = "
        SELECT c.oid, n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = $1 OR n.nspname = $2::text AND c.relname = $3::text
        ORDER BY c.oid <> $1 LIMIT 1";
    let oid = was.oid.unwrap_or_default();
    let Some(row) = client
        .query_opt(sql, &[&oid, &was.schema, &was.name])
        .await?
    else {
        return Ok(vec![format!(
            "the table {full} is gone: bring it back with its rows, or change the mapping"
        )]);
    };
    let is: Oid = row.try_get(0)?;
    let (schema, name): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let mut mends = Vec::new();
    if schema != was.schema {
        let now = quoted(&schema, &name);
        let back = quoted_name(&was.schema);
        mends.push(format!(
            "the table {full} has become {now}: ALTER TABLE {now} SET SCHEMA {back}"
        ));
    } else if name != was.name {
        let now = quoted(&schema, &name);
        let back = quoted_name(&was.name);
        mends.push(format!(
            "the table {full} has become {now}: ALTER TABLE {now} RENAME TO {back}"
        ));
    }
    let sql = "
        SELECT attnum, attname::text, pg_catalog.format_type(atttypid, atttypmod)
        FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped";
    let mut now: Vec<(i16, String, String)> = Vec::new();
    for row in client.query(sql, &[&is]).await? {
        now.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    }
    for (number, column, ty) in &was.columns {
        let shown = quoted_name(column);
        let same = now.iter().find(|(_, name, _)| name == column);
        let moved = now
            .iter()
            .find(|(n, ..)| was.oid == Some(is) && Some(*n) == *number);
        match (same, moved) {
            (Some((_, _, found)), _) if found != ty && types => mends.push(format!(
                "{full}.{shown} was {ty} and is {found}: \
                 ALTER TABLE {full} ALTER COLUMN {shown} TYPE {ty} USING {shown}::{ty}"
            )),
            (Some(_), _) => {}
            (None, Some((_, name, _))) => {
                let name = quoted_name(name);
                mends.push(format!(
                    "{full}.{shown} has become {name}: ALTER TABLE {full} RENAME COLUMN {name} TO {shown}"
                ));
            }
            (None, None) => mends.push(format!(
                "{full} has lost its column {shown}: ALTER TABLE {full} ADD COLUMN {shown} {ty}"
            )),
        }
    }
    Ok(mends)
}
