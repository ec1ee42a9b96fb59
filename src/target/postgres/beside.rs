//! Rows by values that need not be their key, in Postgres' SQL.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row as Answer};

use super::statement::{cast, key_match, keys, output, quote, table};
use crate::mapping::expr::canonical;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::target::beside::{Count, Mismatch, Normal, Row, Sum, Wanted};

pub async fn rows(client: &Client, wanted: &Wanted<'_>, read: &[&str]) -> Result<Vec<Row>, Error> {
    let columns: String = read.iter().map(|c| format!(", {}", output(c))).collect();
    let sql = format!("SELECT d.ord{columns} FROM {}", joined(wanted));
    let row = |answer: &Answer| {
        let texts = read.iter().enumerate().map(|(i, column)| {
            let text: Option<&str> = answer.try_get(1 + i)?;
            let ty = wanted.into.type_of(column);
            let form = |text: &str| match ty.map(|ty| canonical(text, ty)) {
                Some(Ok(canonical)) => canonical.into_string(),
                _ => text.to_owned(),
            };
            Ok(text.map(form))
        });
        Ok(Row {
            nth: nth(answer)?,
            texts: texts.collect::<Result<_, Error>>()?,
        })
    };
    ask(client, &sql, wanted).await?.iter().map(row).collect()
}

pub async fn counts(
    client: &Client,
    wanted: &Wanted<'_>,
    quantity: &str,
) -> Result<Vec<Count>, Error> {
    let quantity = quote(quantity);
    let sql = format!(
        "SELECT d.ord, count(*), min(t.{quantity})::text, max(t.{quantity})::text FROM {} \
         GROUP BY d.ord",
        joined(wanted)
    );
    let count = |answer: &Answer| {
        let rows: i64 = answer.try_get(1)?;
        Ok(Count {
            nth: nth(answer)?,
            rows: usize::try_from(rows).unwrap_or_default(),
            least: answer.try_get(2)?,
            most: answer.try_get(3)?,
        })
    };
    ask(client, &sql, wanted).await?.iter().map(count).collect()
}

pub async fn sums(
    client: &Client,
    header: &Into,
    sum: &Sum,
    of: &[&RowKey],
) -> Result<Vec<Mismatch>, Error> {
    let link: Vec<String> = sum
        .link
        .iter()
        .map(|(line, header)| format!("l.{} = t.{}", quote(line), quote(header)))
        .collect();
    // The expression's names are looked for in its own table first.
    let sql = format!(
        "SELECT d.ord, format('%s', t.{total}), format('%s', coalesce(s.sum, 0)) \
         FROM {keys} JOIN {headers} AS t ON {is} \
         LEFT JOIN LATERAL (SELECT sum({value}) AS sum FROM {schema}.{lines} AS l WHERE {link}) AS s \
             ON true \
         WHERE t.{total} <> coalesce(s.sum, 0)",
        total = quote(&sum.total),
        keys = keys(header),
        headers = table(header),
        is = key_match(header),
        value = sum.value,
        schema = quote(&sum.schema),
        lines = quote(&sum.table),
        link = link.join(" AND "),
    );
    let params: Vec<Vec<&str>> = (0..header.key.len())
        .map(|part| of.iter().map(|key| &*key[part]).collect())
        .collect();
    let params: Vec<&(dyn ToSql + Sync)> =
        params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
    let mismatch = |answer: &Answer| {
        Ok(Mismatch {
            nth: nth(answer)?,
            total: answer.try_get(1)?,
            sum: answer.try_get(2)?,
        })
    };
    let found = client.query(&sql, &params).await?;
    found.iter().map(mismatch).collect()
}

pub async fn page(
    client: &Client,
    into: &Into,
    after: Option<&Normal>,
    own: Option<&str>,
    most: usize,
) -> Result<Vec<Normal>, Error> {
    let names: Vec<String> = into.key.iter().map(|k| quote(&k.name)).collect();
    let columns = names.iter().map(|name| format!("format('%s', t.{name})"));
    let mut conditions = Vec::new();
    if after.is_some() {
        let values = into.key.iter().zip(1..);
        let values = values.map(|(k, n)| format!("${n}::text::{}", cast(&k.ty)));
        let values: Vec<String> = values.collect();
        conditions.push(format!(
            "(t.{}) > ({})",
            names.join(", t."),
            values.join(", ")
        ));
    }
    if let Some(own) = own {
        conditions.push(format!("NOT coalesce(({own}), false)"));
    }
    let sql = format!(
        "SELECT {} FROM {} AS t{}{} ORDER BY t.{} LIMIT {most}",
        columns.collect::<Vec<_>>().join(", "),
        table(into),
        if conditions.is_empty() { "" } else { " WHERE " },
        conditions.join(" AND "),
        names.join(", t."),
    );
    let params = after.into_iter().flatten();
    let params: Vec<&(dyn ToSql + Sync)> = params.map(|p| p as &(dyn ToSql + Sync)).collect();
    let found = client.query(&sql, &params).await?;
    let key = |answer: &Answer| {
        let parts = (0..into.key.len()).map(|i| answer.try_get::<_, &str>(i));
        let parts: Vec<&str> = parts.collect::<Result<_, Error>>()?;
        Ok(into.normal(parts.into_iter()))
    };
    found.iter().map(key).collect()
}

/// The lists of values as `d`, joined with the rows `t` that hold them.
pub(super) fn joined(wanted: &Wanted<'_>) -> String {
    let count = wanted.columns.len();
    let arrays: Vec<String> = (1..=count).map(|i| format!("${i}::text[]")).collect();
    let names: Vec<String> = (0..count).map(|i| format!("v{i}")).collect();
    let holds = wanted.columns.iter().enumerate().map(|(n, column)| {
        let ty = wanted.into.type_of(column).map_or("text", cast);
        format!("t.{} = d.v{n}::{ty}", quote(column))
    });
    format!(
        "unnest({}) WITH ORDINALITY AS d({}, ord) JOIN {} AS t ON {}",
        arrays.join(", "),
        names.join(", "),
        table(wanted.into),
        holds.collect::<Vec<_>>().join(" AND ")
    )
}

async fn ask(client: &Client, sql: &str, wanted: &Wanted<'_>) -> Result<Vec<Answer>, Error> {
    let params: Vec<Vec<&str>> = (0..wanted.columns.len())
        .map(|part| wanted.values.iter().map(|list| list[part]).collect())
        .collect();
    let params: Vec<&(dyn ToSql + Sync)> =
        params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
    client.query(sql, &params).await
}

/// The place of the list of values: the server counts from 1.
pub(super) fn nth(answer: &Answer) -> Result<usize, Error> {
    let ord: i64 = answer.try_get(0)?;
    Ok(usize::try_from(ord - 1).unwrap_or_default())
}
