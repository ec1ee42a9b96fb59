//! Tables of the source that belong to a cart, by a foreign key or by a column of that name, and that
//! the mapping does not know.

use std::collections::BTreeMap;

use super::CheckError;
use super::report::{End, Report};
use crate::cart::layout::Layout;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::source::{AskError, Source};

/// A table, and the column by which its rows hang on another one.
struct Hanging {
    schema: String,
    table: String,
    column: String,
    /// The table that a foreign key names.
    to: Option<(String, String)>,
}

pub async fn check(
    config: &Config,
    source: &Source,
    layout: &Layout,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), CheckError> {
    let Some(header) = layout.tables.first().filter(|h| !h.schema.is_empty()) else {
        return Ok(());
    };
    let names = names_of_the_cart(layout);
    let hanging = match source {
        Source::Postgres(client) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let rows = client.query(POSTGRES, &[&names]).await?;
            let read = |row: &tokio_postgres::Row| -> Result<Hanging, tokio_postgres::Error> {
                let to: (Option<String>, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
                Ok(Hanging {
                    schema: row.try_get(0)?,
                    table: row.try_get(1)?,
                    column: row.try_get(2)?,
                    to: to.0.zip(to.1),
                })
            };
            rows.iter().map(read).collect::<Result<Vec<_>, _>>()?
        }
        Source::Mysql(session) => mysql(session, &header.schema, &names).await?,
    };
    let known = |schema: &str, table: &str| {
        layout
            .tables
            .iter()
            .any(|t| t.schema == schema && t.name == table)
            || catalog
                .tables
                .iter()
                .any(|t| t.schema == schema && t.name == table)
            || config.source_tables().iter().any(|name| name == table)
    };
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for Hanging {
        schema,
        table,
        column,
        to,
    } in hanging
    {
        let ours = |to: &(String, String)| {
            layout
                .tables
                .iter()
                .any(|t| (&t.schema, &t.name) == (&to.0, &to.1))
        };
        if known(&schema, &table) || to.as_ref().is_some_and(|to| !ours(to)) {
            continue;
        }
        let why = match to {
            Some((_, to)) => format!("{column}, a foreign key to {to}"),
            None => format!("by the name of its column {column}"),
        };
        // What a foreign key says counts more than a name.
        let why_known = found
            .entry(format!("{schema}.{table}"))
            .or_insert_with(|| why.clone());
        if why.contains("foreign key") {
            *why_known = why;
        }
    }
    if found.is_empty() {
        let message = "no other table belongs to a cart, by foreign keys and names";
        report.pass("unmapped tables", End::Source, message);
    }
    for (table, why) in found {
        let message = format!("{table} belongs to a cart ({why}), and is not in [cart.rows]");
        report.note("unmapped tables", End::Source, message);
    }
    Ok(())
}

/// Columns by which rows name their cart, as far as their names say so by themselves.
fn names_of_the_cart(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, table) in layout.tables.iter().enumerate() {
        let columns = match at {
            Layout::HEADER if table.key.len() == 1 => &table.key,
            _ => table
                .cart
                .as_ref()
                .filter(|cart| cart.len() == 1)
                .unwrap_or(const { &Vec::new() }),
        };
        let columns = columns.iter().map(|c| table.columns[*c].name.clone());
        names.extend(
            columns.filter(|name| !["id", "entity_id", "key", "token"].contains(&name.as_str())),
        );
    }
    names.sort();
    names.dedup();
    names
}

/// Foreign keys between tables that our user sees, and columns of those names, outside the server's own
/// schemas.
const POSTGRES: &str = "
    SELECT n.nspname::text, c.relname::text, a.attname::text, rn.nspname::text, r.relname::text
    FROM pg_catalog.pg_constraint f
    JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
    JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND NOT c.relispartition
    UNION
    SELECT n.nspname::text, c.relname::text, a.attname::text, NULL, NULL
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attname = ANY ($1::text[]) AND a.attnum > 0 AND NOT a.attisdropped
      AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname = ANY (pg_catalog.current_schemas(false))
    ORDER BY 1, 2, 3";

async fn mysql(
    session: &crate::source::mysql::Session,
    schema: &str,
    names: &[String],
) -> Result<Vec<Hanging>, AskError> {
    let schema = crate::mysql::sql::text(schema);
    let keys = format!(
        "SELECT table_schema AS s, table_name AS t, column_name AS c,
                referenced_table_schema AS rs, referenced_table_name AS r
         FROM information_schema.key_column_usage
         WHERE table_schema = {schema} AND referenced_table_name IS NOT NULL AND ordinal_position = 1
         ORDER BY 2, 3"
    );
    let mut rows = session.query(keys).await?;
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|n| crate::mysql::sql::text(n)).collect();
        let columns = format!(
            "SELECT c.table_schema AS s, c.table_name AS t, c.column_name AS c, NULL AS rs, NULL AS r
             FROM information_schema.columns c
             JOIN information_schema.tables t
               ON t.table_schema = c.table_schema AND t.table_name = c.table_name
             WHERE c.table_schema = {schema} AND c.column_name IN ({})
               AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
             ORDER BY 2, 3",
            names.join(", ")
        );
        rows.extend(session.query(columns).await?);
    }
    let text = |row: &mysql_async::Row, name: &str| -> Option<String> {
        row.get_opt::<Option<String>, _>(name)?.ok()?
    };
    let hanging = rows.iter().filter_map(|row| {
        Some(Hanging {
            schema: text(row, "s")?,
            table: text(row, "t")?,
            column: text(row, "c")?,
            to: text(row, "rs").zip(text(row, "r")),
        })
    });
    Ok(hanging.collect())
}
