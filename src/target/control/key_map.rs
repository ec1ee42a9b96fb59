//! The keys that the target's sequences have given, each to one source row and for good.

use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// The number in the catalog of the sequence of a column (schema, table, column): owned by it, or named
/// by its default alone.
pub(crate) const SEQUENCE: &str = "
        WITH t AS (SELECT pg_catalog.format('%I.%I', $1::text, $2::text) AS name)
        SELECT coalesce(
            pg_catalog.pg_get_serial_sequence(t.name, $3::text)::pg_catalog.regclass::pg_catalog.oid,
            (SELECT s.oid
             FROM pg_catalog.pg_attribute a
             JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             JOIN pg_catalog.pg_depend r ON r.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                AND r.objid = d.oid AND r.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
             JOIN pg_catalog.pg_class s ON s.oid = r.refobjid AND s.relkind = 'S'
             WHERE a.attrelid = t.name::pg_catalog.regclass AND a.attname = $3::text
             LIMIT 1))::bigint
        FROM t";

/// The sequence of an allocated column. Only Postgres has them.
pub async fn sequence(
    target: &Target,
    (schema, table, column): (&str, &str, &str),
) -> Result<Option<i64>, TargetError> {
    let params = params![schema, table, column];
    target.one(SEQUENCE, params).await?.get(0)
}

/// Whether the table is there: before setup, and before an upgrade's setup, it is not.
pub async fn installed(target: &Target) -> Result<bool, TargetError> {
    let sql = "SELECT pg_catalog.to_regclass('cartage.key_map') IS NOT NULL";
    target.one(sql, params![]).await?.get(0)
}

/// Which of the arguments have keys, and the keys. `args` is a JSON array of texts.
pub async fn known(
    target: &Target,
    pipeline: &str,
    table: &str,
    args: &str,
) -> Result<Vec<(String, i64)>, TargetError> {
    let sql = "
        SELECT k.args, k.value FROM cartage.key_map k
        JOIN cartage.pipeline p ON p.id = k.pipeline
        WHERE p.name = $1 AND k.name = $2
          AND k.args IN (SELECT pg_catalog.jsonb_array_elements_text($3::jsonb))";
    let rows = target.query(sql, params![pipeline, table, args]).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// Takes a value of the sequence for each of the arguments that has none. What another session gives
/// at the same time stands, and the value that was taken for it is left out. It commits by itself:
/// a value that is never written into a row harms nobody.
pub async fn allocate(
    target: &Target,
    pipeline: &str,
    table: &str,
    args: &str,
    sequence: i64,
) -> Result<u64, TargetError> {
    // In one order, so that two sessions do not wait for each other.
    let sql = "
        INSERT INTO cartage.key_map (pipeline, name, args, value)
        SELECT p.id, $2, a.args, pg_catalog.nextval($4::bigint::pg_catalog.oid::pg_catalog.regclass)
        FROM cartage.pipeline p
        CROSS JOIN pg_catalog.jsonb_array_elements_text($3::jsonb) WITH ORDINALITY AS a (args, place)
        WHERE p.name = $1 AND NOT EXISTS (
            SELECT FROM cartage.key_map k
            WHERE k.pipeline = p.id AND k.name = $2 AND k.args = a.args)
        ORDER BY a.place
        ON CONFLICT DO NOTHING";
    target
        .execute(sql, params![pipeline, table, args, sequence])
        .await
}

/// Every key that was given, by the target table and the arguments: a page of them, in their order.
pub async fn page(
    target: &Target,
    pipeline: i32,
    (table, args): (&str, &str),
    limit: i64,
) -> Result<Vec<(String, String, i64)>, TargetError> {
    let sql = "
        SELECT name, args, value FROM cartage.key_map
        WHERE pipeline = $1 AND (name, args) > ($2, $3) ORDER BY name, args LIMIT $4";
    let rows = target
        .query(sql, params![pipeline, table, args, limit])
        .await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .collect()
}

/// Takes keys back that were given before (a JSON object, from arguments to values). What is there
/// stays; the answer is how many of these have, or are, another one's key.
pub async fn take_back(
    target: &Target,
    pipeline: i32,
    table: &str,
    keys: &str,
) -> Result<i64, TargetError> {
    let sql = "
        INSERT INTO cartage.key_map (pipeline, name, args, value)
        SELECT $1, $2, k.key, k.value::bigint FROM pg_catalog.jsonb_each_text($3::jsonb) k
        ORDER BY k.key
        ON CONFLICT DO NOTHING";
    target.execute(sql, params![pipeline, table, keys]).await?;
    let sql = "
        SELECT count(*) FROM pg_catalog.jsonb_each_text($3::jsonb) k
        WHERE NOT EXISTS (
            SELECT FROM cartage.key_map m
            WHERE m.pipeline = $1 AND m.name = $2 AND m.args = k.key AND m.value = k.value::bigint)";
    target
        .one(sql, params![pipeline, table, keys])
        .await?
        .get(0)
}
