//! The publication: which tables the source decodes for this pipeline, and what it looked like
//! when it was last trusted.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_postgres::types::Oid;
use tokio_postgres::{Client, Error};

use super::tables::{LoggedOld, leaves, quoted, quoted_name};
use crate::cart::layout::Layout;
use crate::source::identity::Unseen;
use crate::switch::{self, Mutant};

/// A publication as the catalogs have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Changes whenever its options do, and when it is made anew (the row's `xmin`).
    pub version: String,
    pub via_root: bool,
    /// Operations that it leaves out, of insert, update, delete and truncate.
    pub silent: Vec<&'static str>,
    pub tables: Vec<PublishedTable>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTable {
    pub schema: String,
    pub name: String,
    /// Its entry in the publication, a new one whenever it was put in anew or altered; none where
    /// all tables of a schema, or of the database, are published.
    pub entry: Option<Oid>,
    /// A WHERE clause keeps some of its rows out (Postgres 15+).
    pub filtered: bool,
    /// Columns that a column list leaves out (Postgres 15+).
    pub unpublished: Vec<String>,
}

impl Publication {
    pub fn table(&self, schema: &str, name: &str) -> Option<&PublishedTable> {
        self.tables
            .iter()
            .find(|t| t.schema == schema && t.name == name)
    }
}

pub async fn find(source: &Client, name: &str) -> Result<Option<Publication>, Error> {
    let sql = "
        SELECT pubviaroot, pubinsert, pubupdate, pubdelete, pubtruncate, oid, xmin::text AS version
        FROM pg_catalog.pg_publication WHERE pubname = $1::text";
    let Some(row) = source.query_opt(sql, &[&name]).await? else {
        return Ok(None);
    };
    let mut silent = Vec::new();
    for (i, operation) in ["insert", "update", "delete", "truncate"]
        .iter()
        .enumerate()
    {
        if !row.try_get::<_, bool>(i + 1)? {
            silent.push(*operation);
        }
    }
    // `attnames` and `rowfilter` of the view are new in 15. It names generated columns only where
    // they are published, which the list of columns that are left out must not count.
    let sql = "
        SELECT t.schemaname, t.tablename, r.oid AS entry,
               pg_catalog.to_jsonb(t) ->> 'rowfilter' IS NOT NULL AS filtered,
               CASE WHEN pg_catalog.to_jsonb(t) ? 'attnames' THEN ARRAY (
                   SELECT a.attname::text FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                     AND a.attgenerated = ''
                     AND NOT pg_catalog.to_jsonb(t) -> 'attnames' ? a.attname::text
                   ORDER BY a.attnum)
               ELSE '{}' END AS unpublished
        FROM pg_catalog.pg_publication_tables t
        JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
        LEFT JOIN pg_catalog.pg_publication_rel r ON r.prrelid = c.oid AND r.prpubid = $2
        WHERE t.pubname = $1::text ORDER BY 1, 2";
    let oid: Oid = row.try_get("oid")?;
    let mut tables = Vec::new();
    for table in source.query(sql, &[&name, &oid]).await? {
        tables.push(PublishedTable {
            schema: table.try_get("schemaname")?,
            name: table.try_get("tablename")?,
            entry: table.try_get("entry")?,
            filtered: table.try_get("filtered")?,
            unpublished: table.try_get("unpublished")?,
        });
    }
    Ok(Some(Publication {
        version: row.try_get("version")?,
        via_root: row.try_get(0)?,
        silent,
        tables,
    }))
}

/// The statements that make the publication what the mapping needs; none where it is so already.
pub fn statements(name: &str, found: Option<&Publication>, layout: &Layout) -> Vec<String> {
    let publication = quoted_name(name);
    let list = |tables: &[(&str, &str)]| -> String {
        let names: Vec<String> = tables.iter().map(|(s, t)| quoted(s, t)).collect();
        names.join(", ")
    };
    let wanted = wanted(layout);
    let Some(found) = found else {
        return vec![format!(
            "CREATE PUBLICATION {publication} FOR TABLE {} \
             WITH (publish_via_partition_root = true)",
            list(&wanted)
        )];
    };
    let mut statements = Vec::new();
    if !found.via_root || !found.silent.is_empty() {
        statements.push(format!(
            "ALTER PUBLICATION {publication} SET (publish = 'insert, update, delete, truncate', \
             publish_via_partition_root = true)"
        ));
    }
    let (there, missing): (Vec<_>, Vec<_>) = wanted
        .iter()
        .copied()
        .partition(|(s, t)| found.table(s, t).is_some());
    let narrowed = there.iter().any(|(s, t)| {
        found
            .table(s, t)
            .is_some_and(|t| t.filtered || !t.unpublished.is_empty())
    });
    // Only SET TABLE takes a filter or a column list away. And where partitions are published as
    // themselves, the view names them and not the root, which may be a member all the same.
    if narrowed || !found.via_root && !missing.is_empty() {
        statements.push(format!(
            "ALTER PUBLICATION {publication} SET TABLE {}",
            list(&wanted)
        ));
    } else if !missing.is_empty() {
        statements.push(format!(
            "ALTER PUBLICATION {publication} ADD TABLE {}",
            list(&missing)
        ));
    }
    statements
}

pub async fn drop(source: &Client, name: &str) -> Result<(), Error> {
    let sql = format!("DROP PUBLICATION IF EXISTS {}", quoted_name(name));
    source.batch_execute(&sql).await
}

/// Each table once, whatever number of aliases it has.
fn wanted(layout: &Layout) -> Vec<(&str, &str)> {
    let mut tables: Vec<(&str, &str)> = Vec::new();
    for table in layout.stored() {
        let name = (table.schema.as_str(), table.name.as_str());
        if !tables.contains(&name) {
            tables.push(name);
        }
    }
    tables
}

/// What must not change unseen: the publication, and the identity of every table, partition and
/// column. A partition's TRUNCATE gives it a new file and its DETACH takes it out of the list; neither
/// is in the log of a publication that goes through the root. Nor is it in any log that a column was
/// given other values by being made anew or by another type.
pub async fn state(source: &Client, publication: &str, layout: &Layout) -> Result<Value, Error> {
    let published = find(source, publication).await?;
    let wanted = wanted(layout);
    let (schemas, names): (Vec<&str>, Vec<&str>) = wanted.iter().copied().unzip();
    let sql = "
        SELECT c.oid, n.nspname, c.relname, c.relkind = 'p' AS partitioned
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(schema, name)
        JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
        ORDER BY 2, 3";
    let rows = source.query(sql, &[&schemas, &names]).await?;
    let mut roots: Vec<Oid> = Vec::new();
    for row in &rows {
        roots.push(row.try_get(0)?);
    }
    let leaves = leaves(source, &roots).await?;
    let columns = columns(source, &roots).await?;
    let mut tables = serde_json::Map::new();
    for (row, root) in rows.iter().zip(&roots) {
        let (schema, name): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        let partitioned: bool = row.try_get(3)?;
        let parts: BTreeMap<String, Value> = leaves
            .iter()
            .filter(|leaf| leaf.root == *root && partitioned)
            .map(|leaf| {
                let of_leaf = json!({ "oid": leaf.oid, "file": leaf.file });
                (leaf.qualified(), of_leaf)
            })
            .collect();
        let identity: BTreeMap<String, Value> = leaves
            .iter()
            .filter(|leaf| leaf.root == *root)
            .map(|leaf| {
                let logged = match &leaf.identity {
                    LoggedOld::All => json!("full"),
                    LoggedOld::Columns(columns) => json!(columns),
                };
                (leaf.qualified(), logged)
            })
            .collect();
        let columns_of = |root: Oid| -> serde_json::Map<String, Value> {
            let mapped = |column: &str| {
                layout
                    .tables
                    .iter()
                    .any(|t| t.schema == schema && t.name == name && t.column(column).is_some())
            };
            let of_root = columns
                .iter()
                .filter(|c| c.table == root && mapped(&c.name));
            of_root
                .map(|c| (c.name.clone(), json!([c.number, c.ty, c.modifier])))
                .collect()
        };
        let speaking = published.as_ref().filter(|p| p.silent.is_empty());
        let member = speaking.and_then(|p| p.table(schema, name));
        tables.insert(
            quoted(schema, name),
            json!({
                "oid": root,
                "published": member.is_some_and(|m| !m.filtered && m.unpublished.is_empty()),
                "entry": member.and_then(|m| m.entry),
                "columns": columns_of(*root),
                "identity": identity,
                "partitions": parts,
            }),
        );
    }
    let publication = published.map(|p| json!({ "version": p.version }));
    Ok(json!({ "publication": publication, "tables": tables }))
}

struct ColumnIdentity {
    table: Oid,
    name: String,
    number: i16,
    ty: Oid,
    modifier: i32,
}

async fn columns(source: &Client, tables: &[Oid]) -> Result<Vec<ColumnIdentity>, Error> {
    let sql = "
        SELECT attrelid, attname::text, attnum, atttypid, atttypmod FROM pg_catalog.pg_attribute
        WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped";
    let rows = source.query(sql, &[&tables]).await?;
    rows.iter()
        .map(|row| {
            Ok(ColumnIdentity {
                table: row.try_get(0)?,
                name: row.try_get(1)?,
                number: row.try_get(2)?,
                ty: row.try_get(3)?,
                modifier: row.try_get(4)?,
            })
        })
        .collect()
}

/// What is different between two states, for the tables that are in both. A changed replica
/// identity is no such change: what it asks for is checked on its own.
pub fn changes(before: &Value, after: &Value) -> Vec<Unseen> {
    let none = serde_json::Map::new();
    let of = |value: &Value, key: &str| value.get(key).and_then(Value::as_object).cloned();
    let mut changes = Vec::new();
    let version = |value: &Value| Some(value.get("publication")?.get("version")?.clone());
    if let Some(was) = version(before)
        && version(after).is_some_and(|is| is != was)
        && !switch::mutant(Mutant::AlteredUnseen)
    {
        changes.push(Unseen {
            object: "the publication".to_owned(),
            what: "was altered".to_owned(),
        });
    }
    let (before, after) = (of(before, "tables"), of(after, "tables"));
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    for (table, was) in before
        .iter()
        .filter(|_| !switch::mutant(Mutant::LeavesUnwatched))
    {
        let mut note = |what: String| {
            changes.push(Unseen {
                object: table.clone(),
                what,
            });
        };
        let Some(is) = after.get(table) else {
            note("is not there any more".to_owned());
            continue;
        };
        if was.get("oid") != is.get("oid") {
            note("was dropped and made again".to_owned());
        }
        if was.get("published") == Some(&Value::Bool(false)) {
            note("was not in the publication, or not with all rows and columns".to_owned());
        } else if was
            .get("entry")
            .is_some_and(|entry| is.get("entry") != Some(entry))
            && !switch::mutant(Mutant::AlteredUnseen)
        {
            note("was altered in the publication, or put into it anew".to_owned());
        }
        let columns_before = was.get("columns").and_then(Value::as_object);
        let columns_before = columns_before.filter(|_| !switch::mutant(Mutant::AlteredUnseen));
        for (column, old) in columns_before.into_iter().flatten() {
            let new = is.get("columns").and_then(|columns| columns.get(column));
            if new.is_some_and(|new| new != old) {
                note(format!(
                    "has its column {column} made anew, or with another type"
                ));
            }
        }
        let parts_before = was.get("partitions").and_then(Value::as_object);
        let parts_after = is.get("partitions").and_then(Value::as_object);
        let (parts_before, parts_after) =
            (parts_before.unwrap_or(&none), parts_after.unwrap_or(&none));
        for (part, old) in parts_before {
            match parts_after.get(part) {
                None => note(format!("lost its partition {part}")),
                Some(new) if new.get("oid") != old.get("oid") => {
                    note(format!("has another partition under the name {part}"));
                }
                Some(new) if new.get("file") != old.get("file") => {
                    note(format!("had its partition {part} truncated or rewritten"));
                }
                Some(_) => {}
            }
        }
        for part in parts_after
            .keys()
            .filter(|p| !parts_before.contains_key(*p))
        {
            note(format!("has a new partition {part}"));
        }
    }
    changes
}
