//! The tables that really write the log: each published table, or the partitions below it, with
//! what of an old row each of them logs.

use tokio_postgres::types::Oid;
use tokio_postgres::{Client, Error};

/// A table with rows of its own. The replica identity of a partition is its own too, whatever the
/// root says (manual, ALTER TABLE … REPLICA IDENTITY).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The table that the mapping names, and this one if that has no partitions.
    pub root: Oid,
    pub oid: Oid,
    pub schema: String,
    pub name: String,
    /// A partitioned table, without rows of its own.
    pub is_root: bool,
    /// Changes with each TRUNCATE.
    pub file: Oid,
    pub identity: LoggedOld,
}

/// What an UPDATE or DELETE logs of the row before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedOld {
    All,
    Columns(Vec<String>),
}

impl LoggedOld {
    pub fn holds(&self, column: &str) -> bool {
        match self {
            LoggedOld::All => true,
            LoggedOld::Columns(columns) => columns.iter().any(|c| c == column),
        }
    }
}

impl Leaf {
    pub fn qualified(&self) -> String {
        quoted(&self.schema, &self.name)
    }
}

/// Each table with those that write for it. A deferrable primary key is no identity, and neither is
/// an index that was made invalid.
const WRITERS: &str = "
    SELECT root.oid AS root, c.oid, n.nspname, c.relname,
           pg_catalog.pg_relation_filenode(c.oid) AS file, c.relkind = 'p' AS is_root,
           c.relreplident = 'f' AS all_logged,
           ARRAY (SELECT a.attname::text
                  FROM pg_catalog.pg_index i
                  JOIN pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, nr)
                    ON k.nr <= i.indnkeyatts
                  JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                  WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
                    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                            WHEN 'i' THEN i.indisreplident END
                  ORDER BY k.nr) AS logged
    FROM pg_catalog.unnest($1::oid[]) AS root(oid)
    LEFT JOIN LATERAL pg_catalog.pg_partition_tree(root.oid::regclass) AS part
      ON part.isleaf OR part.level = 0
    JOIN pg_catalog.pg_class c ON c.oid = coalesce(part.relid::oid, root.oid)
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'f', 'p')
    ORDER BY root.oid, n.nspname, c.relname";

pub async fn leaves(source: &Client, roots: &[Oid]) -> Result<Vec<Leaf>, Error> {
    let mut writers = writers(source, roots).await?;
    writers.retain(|writer| !writer.is_root);
    Ok(writers)
}

/// The leaves and, of partitioned tables, the root: published through it, a row of a leaf is logged
/// with what the leaf's identity holds of it, and read with what the root's says that it holds.
pub async fn writers(source: &Client, roots: &[Oid]) -> Result<Vec<Leaf>, Error> {
    let mut writers = Vec::new();
    for row in source.query(WRITERS, &[&roots]).await? {
        writers.push(Leaf {
            root: row.try_get("root")?,
            oid: row.try_get("oid")?,
            schema: row.try_get("nspname")?,
            name: row.try_get("relname")?,
            is_root: row.try_get("is_root")?,
            file: row.try_get::<_, Option<Oid>>("file")?.unwrap_or_default(),
            identity: if row.try_get("all_logged")? {
                LoggedOld::All
            } else {
                LoggedOld::Columns(row.try_get("logged")?)
            },
        });
    }
    Ok(writers)
}

/// `schema.table` as SQL wants it, quoted only where it must be.
pub fn quoted(schema: &str, table: &str) -> String {
    format!("{}.{}", quoted_name(schema), quoted_name(table))
}

pub fn quoted_name(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Reserved words (manual, appendix C) that shops do use as names.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(quoted("public", "order_line"), "public.order_line");
        assert_eq!(quoted("public", "order"), "public.\"order\"");
        assert_eq!(quoted("Shop", "a\"b"), "\"Shop\".\"a\"\"b\"");
        assert_eq!(quoted_name("1st"), "\"1st\"");
    }
}
