//! Reads the catalogs of Postgres 14 to 18: two round trips, however many tables are asked for.

use std::collections::HashMap;

use futures_util::future::try_join4;
use tokio_postgres::types::Oid;
use tokio_postgres::{Client, Error, Row};

use crate::catalog::{Catalog, ColumnInfo, ForeignKey, ReplicaIdentity, TableInfo, TableKind};
use crate::sqltype::SqlType;

/// An unqualified name may be found in several schemas of the search path: all of them are read,
/// and [`Catalog::find`] takes the first.
const TABLES: &str = "
    SELECT DISTINCT c.oid, n.nspname, c.relname, c.relkind::text, c.relispartition,
           c.relreplident::text
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted(schema, name)
    JOIN pg_catalog.pg_class c ON c.relname = wanted.name
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname = wanted.schema
           OR wanted.schema IS NULL AND n.nspname = ANY (pg_catalog.current_schemas(false)))
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY n.nspname, c.relname";

/// A domain is followed down to the type that it is made of (manual, 53.64 pg_type: `typbasetype`
/// and `typtypmod`); NOT NULL may stand at any level.
const COLUMNS: &str = "
    SELECT a.attrelid, a.attname,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS declared,
           pg_catalog.format_type(base.type, base.typmod) AS base,
           pg_catalog.format_type(base.type, -1) AS unmodified,
           base.depth > 0 AS is_domain,
           base.typtype = 'e' AS is_enum,
           coalesce((SELECT NOT c.collisdeterministic FROM pg_catalog.pg_collation c
                     WHERE c.oid = a.attcollation), false) AS loose,
           ARRAY (SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
                  WHERE e.enumtypid = base.type ORDER BY e.enumsortorder) AS labels,
           a.attnotnull OR base.not_null AS not_null,
           a.atthasdef AND a.attgenerated = '' AS has_default,
           a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
           a.attidentity <> '' AS identity, a.attnum, a.atttypid,
           coalesce((SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                            ~ '(nextval|gen_random_uuid|uuid_generate_v[14]|uuid_generate_v1mc|uuidv[47])[(]'
                     FROM pg_catalog.pg_attrdef d
                     WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum), false) AS distinct_default,
           coalesce((SELECT c.collisdeterministic FROM pg_catalog.pg_collation c
                     WHERE c.oid = a.attcollation), false) AS bytewise
    FROM pg_catalog.pg_attribute a
    CROSS JOIN LATERAL (
        WITH RECURSIVE chain (type, typmod, typtype, not_null, depth) AS (
            SELECT t.oid, a.atttypmod, t.typtype, t.typnotnull, 0
            FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
            UNION ALL
            SELECT t.oid, d.typtypmod, t.typtype, chain.not_null OR t.typnotnull, chain.depth + 1
            FROM chain
            JOIN pg_catalog.pg_type d ON d.oid = chain.type AND d.typtype = 'd'
            JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype)
        SELECT * FROM chain ORDER BY depth DESC LIMIT 1) AS base
    WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum";

/// Key columns only, without INCLUDE; an expression has no name and ends up as null.
const INDEXES: &str = "
    SELECT i.indrelid, i.indisunique, i.indisprimary, i.indisreplident, i.indimmediate,
           i.indpred IS NULL AND i.indisvalid AS complete,
           ARRAY (SELECT a.attname::text
                  FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, nr)
                  LEFT JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                  WHERE k.nr <= i.indnkeyatts ORDER BY k.nr) AS columns
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY ($1) AND i.indislive
    ORDER BY i.indrelid, c.relname";

/// `conenforced` is new in Postgres 18. A key that points to a partitioned table has one more
/// row for each of its partitions; only the first of them says something.
const FOREIGN_KEYS: &str = "
    SELECT f.conrelid, f.conname, n.nspname, r.relname,
           ARRAY (SELECT a.attname::text
                  FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k(attnum, nr)
                  JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = f.conrelid AND a.attnum = k.attnum
                  ORDER BY k.nr) AS columns,
           ARRAY (SELECT a.attname::text
                  FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(attnum, nr)
                  JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = f.confrelid AND a.attnum = k.attnum
                  ORDER BY k.nr) AS referenced,
           f.confdeltype = 'c' AS cascade, f.condeferrable,
           f.convalidated
             AND coalesce((pg_catalog.to_jsonb(f) ->> 'conenforced')::boolean, true) AS enforced
    FROM pg_catalog.pg_constraint f
    JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
    WHERE f.contype = 'f' AND f.conrelid = ANY ($1)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p
                      WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid)
    ORDER BY f.conrelid, f.conname";

/// Bits 2 to 4 of `tgtype` are INSERT, DELETE and UPDATE; `O` and `A` fire in an ordinary session.
const TRIGGERS: &str = "
    SELECT t.tgrelid, t.tgname
    FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal
      AND t.tgenabled IN ('O', 'A') AND t.tgtype & 28 <> 0
    ORDER BY t.tgrelid, t.tgname";

impl Catalog {
    /// What the database says of these tables, qualified or found along the search path. Names
    /// that do not exist are simply not in the answer.
    pub async fn read(client: &Client, names: &[String]) -> Result<Catalog, Error> {
        let (schemas, tables): (Vec<Option<&str>>, Vec<&str>) = names
            .iter()
            .map(|name| match name.split_once('.') {
                Some((schema, table)) => (Some(schema), table),
                None => (None, name.as_str()),
            })
            .unzip();
        let path = client
            .query_one("SELECT pg_catalog.current_schemas(false)::text[]", &[])
            .await?;
        let mut catalog = Catalog {
            search_path: path.try_get(0)?,
            tables: Vec::new(),
        };
        for row in client.query(TABLES, &[&schemas, &tables]).await? {
            catalog.tables.push(table(&row)?);
        }
        let oids: Vec<Oid> = catalog.tables.iter().map(|t| t.oid).collect();
        let of_these: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[&oids];
        let (columns, indexes, foreign_keys, triggers) = try_join4(
            client.query(COLUMNS, of_these),
            client.query(INDEXES, of_these),
            client.query(FOREIGN_KEYS, of_these),
            client.query(TRIGGERS, of_these),
        )
        .await?;

        let mut by_oid: HashMap<Oid, &mut TableInfo> =
            catalog.tables.iter_mut().map(|t| (t.oid, t)).collect();
        for row in &columns {
            if let Some(t) = by_oid.get_mut(&row.try_get(0)?) {
                t.columns.push(column(row)?);
            }
        }
        for row in &indexes {
            if let Some(t) = by_oid.get_mut(&row.try_get(0)?) {
                add_index(t, row)?;
            }
        }
        for row in &foreign_keys {
            if let Some(t) = by_oid.get_mut(&row.try_get(0)?) {
                t.foreign_keys.push(foreign_key(row)?);
            }
        }
        for row in &triggers {
            if let Some(t) = by_oid.get_mut(&row.try_get(0)?) {
                t.triggers.push(row.try_get(1)?);
            }
        }
        Ok(catalog)
    }
}

fn table(row: &Row) -> Result<TableInfo, Error> {
    let kind = match (
        row.try_get::<_, &str>("relkind")?,
        row.try_get("relispartition")?,
    ) {
        ("r" | "p", true) => TableKind::Leaf,
        ("r", false) => TableKind::Ordinary,
        ("p", false) => TableKind::Partitioned,
        _ => TableKind::Other,
    };
    let replica_identity = match row.try_get::<_, &str>("relreplident")? {
        "f" => ReplicaIdentity::Full,
        "n" => ReplicaIdentity::Nothing,
        // Its columns come with the index; until then, or if the index was dropped, nothing is
        // logged (manual, ALTER TABLE … REPLICA IDENTITY).
        "i" => ReplicaIdentity::Nothing,
        _ => ReplicaIdentity::Default,
    };
    Ok(TableInfo {
        oid: row.try_get("oid")?,
        schema: row.try_get("nspname")?,
        name: row.try_get("relname")?,
        kind,
        columns: Vec::new(),
        primary_key: Vec::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        replica_identity,
    })
}

fn column(row: &Row) -> Result<ColumnInfo, Error> {
    let declared: &str = row.try_get("declared")?;
    let base_name: &str = row.try_get("base")?;
    let base = if row.try_get("is_enum")? {
        SqlType::enumeration(base_name, row.try_get("labels")?)
    } else {
        let parsed = SqlType::parse(base_name);
        SqlType {
            base: row.try_get("unmodified")?,
            loose: parsed.loose || row.try_get("loose")?,
            ..parsed
        }
    };
    let ty = if row.try_get("is_domain")? {
        SqlType::domain(declared, base)
    } else {
        base
    };
    Ok(ColumnInfo {
        name: row.try_get("attname")?,
        ty,
        not_null: row.try_get("not_null")?,
        has_default: row.try_get("has_default")?,
        generated: row.try_get("generated")?,
        identity: row.try_get("identity")?,
        distinct_default: row.try_get("distinct_default")?,
        bytewise: row.try_get("bytewise")?,
        number: row.try_get("attnum")?,
        type_oid: row.try_get("atttypid")?,
    })
}

fn add_index(table: &mut TableInfo, row: &Row) -> Result<(), Error> {
    let complete: bool = row.try_get("complete")?;
    let immediate: bool = row.try_get("indimmediate")?;
    let keys: Vec<Option<String>> = row.try_get("columns")?;
    let all_named: Option<Vec<String>> = keys.iter().cloned().collect();
    if row.try_get("indisprimary")? {
        table.primary_key = all_named.clone().unwrap_or_default();
        // A deferrable primary key is no identity: DEFAULT then logs nothing of the old row.
        if !immediate && table.replica_identity == ReplicaIdentity::Default {
            table.replica_identity = ReplicaIdentity::Nothing;
        }
    }
    if !complete {
        return Ok(());
    }
    if let Some(columns) = &all_named {
        // ON CONFLICT takes no deferrable index.
        if immediate && row.try_get("indisunique")? {
            table.uniques.push(columns.clone());
        }
        if row.try_get("indisreplident")? {
            table.replica_identity = ReplicaIdentity::Index(columns.clone());
        }
    }
    let leading: Vec<String> = keys.into_iter().map_while(|key| key).collect();
    if !leading.is_empty() {
        table.indexes.push(leading);
    }
    Ok(())
}

fn foreign_key(row: &Row) -> Result<ForeignKey, Error> {
    Ok(ForeignKey {
        name: row.try_get("conname")?,
        columns: row.try_get("columns")?,
        schema: row.try_get("nspname")?,
        table: row.try_get("relname")?,
        referenced: row.try_get("referenced")?,
        on_delete_cascade: row.try_get("cascade")?,
        deferrable: row.try_get("condeferrable")?,
        enforced: row.try_get("enforced")?,
    })
}
