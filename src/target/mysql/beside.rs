//! Rows by values that need not be their key, in MySQL's SQL.

use std::collections::HashMap;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Row as Answer, Value, from_value_opt};

use super::found::CHUNK;
use super::place::{Place, cell, names, portions};
use super::session::Session;
use crate::cart::image::Cell;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::mysql::literal::literal;
use crate::mysql::sql;
use crate::mysql::stored::stored;
use crate::target::beside::{Count, Mismatch, Normal, Row, Sum, Wanted};
use crate::target::error::TargetError;

/// Lists of values that one statement looks for, where it is to say which of them it found.
const LISTS: usize = 100;
const UNION: &str = " UNION ALL ";

/// Whether two texts are the same is the server's to say, so it says which list a row holds.
pub async fn rows(
    session: &Session,
    wanted: &Wanted<'_>,
    read: &[&str],
) -> Result<Vec<Row>, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, wanted.into).await?;
        let columns = read.iter().map(|name| place.at(name));
        let columns = columns.collect::<Result<Vec<usize>, TargetError>>()?;
        let (by, lists) = lists(&place, wanted)?;
        let shown = names(read.iter().copied());
        let shown: String = shown.iter().map(|name| format!(", {name}")).collect();
        let select = |(nth, list): (usize, &String)| {
            format!(
                "SELECT {nth}{shown} FROM {} WHERE {}{UNION}",
                place.name(),
                sql::among(&by, std::slice::from_ref(list))
            )
        };
        let selects = lists.iter().enumerate().map(select).collect();
        let mut found = Vec::new();
        for portion in portions(selects, LISTS, state.packet().await?) {
            let sql = portion.concat();
            let sql = sql.strip_suffix(UNION).unwrap_or(&sql);
            let answers: Vec<Answer> = state.session.conn.exec(sql, ()).await?;
            for answer in answers {
                let mut values = answer.unwrap().into_iter();
                let nth = number(values.next())?;
                let texts = columns.iter().zip(values).map(|(&at, value)| {
                    let cell = cell(&value, &place.table.columns[at])?;
                    Ok(cell.text().map(str::to_owned))
                });
                let texts = texts.collect::<Result<_, TargetError>>()?;
                found.push(Row { nth, texts });
            }
        }
        Ok(found)
    };
    session.hold(work).await
}

/// A list whose rows hold it in another spelling may be left out.
pub async fn counts(
    session: &Session,
    wanted: &Wanted<'_>,
    quantity: &str,
) -> Result<Vec<Count>, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, wanted.into).await?;
        let (by, values) = lists(&place, wanted)?;
        let mut places: HashMap<Normal, usize> = HashMap::new();
        for (nth, list) in wanted.values.iter().enumerate() {
            let parts = wanted.columns.iter().zip(list);
            let parts = parts.map(|(name, text)| {
                let column = place.column(name)?;
                Ok(column.ty.key_text(&stored(column, text)).to_owned())
            });
            places.insert(parts.collect::<Result<_, TargetError>>()?, nth);
        }
        let columns = wanted.columns.iter().map(|name| place.at(name));
        let columns = columns.collect::<Result<Vec<usize>, TargetError>>()?;
        let quantity = sql::identifier(quantity);
        let mut found = Vec::new();
        for portion in portions(values, CHUNK, state.packet().await?) {
            let sql = format!(
                "SELECT {by}, CAST(count(*) AS CHAR), CAST(min({quantity}) AS CHAR), \
                 CAST(max({quantity}) AS CHAR) FROM {} WHERE {} GROUP BY {by}",
                place.name(),
                sql::among(&by, &portion),
                by = by.join(", "),
            );
            let answers: Vec<Answer> = state.session.conn.exec(sql, ()).await?;
            for answer in answers {
                let values = answer.unwrap();
                let key = normal_of(&place, &columns, &values)?;
                let mut rest = values.into_iter().skip(columns.len());
                let rows = number(rest.next())?;
                let (least, most) = (text(rest.next())?, text(rest.next())?);
                found.extend(places.get(&key).map(|&nth| Count {
                    nth,
                    rows,
                    least,
                    most,
                }));
            }
        }
        Ok(found)
    };
    session.hold(work).await
}

pub async fn sums(
    session: &Session,
    header: &Into,
    sum: &Sum,
    of: &[&RowKey],
) -> Result<Vec<Mismatch>, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, header).await?;
        let keys = place.keys()?;
        let mut places: HashMap<Normal, usize> = HashMap::new();
        for (nth, key) in of.iter().enumerate() {
            places.insert(place.normal(key.iter().map(|part| &**part))?, nth);
        }
        let link: Vec<String> = sum
            .link
            .iter()
            .map(|(line, header)| {
                format!(
                    "l.{} = h.{}",
                    sql::identifier(line),
                    sql::identifier(header)
                )
            })
            .collect();
        let parts = place.key_parts(of.iter().copied())?;
        let mut all = portions(parts, CHUNK, state.packet().await?);
        if all.is_empty() {
            all.push(Vec::new());
        }
        let mut found = Vec::new();
        for portion in all {
            let among = match portion.is_empty() {
                true => "FALSE".to_owned(),
                false => sql::among(&place.key_names(), &portion),
            };
            let sql = format!(
                "SELECT {keys}, CAST(cartage_total AS CHAR), CAST(cartage_sum AS CHAR) FROM \
                 (SELECT {keys}, h.{total} AS cartage_total, \
                  coalesce((SELECT sum({value}) FROM {lines} AS l WHERE {link}), 0) AS cartage_sum \
                  FROM {headers} AS h WHERE {among}) AS x WHERE cartage_total <> cartage_sum",
                keys = place.key_names().join(", "),
                total = sql::identifier(&sum.total),
                value = sum.value,
                lines = sql::qualified(&sum.schema, &sum.table),
                link = link.join(" AND "),
                headers = place.name(),
            );
            let answers: Vec<Answer> = state.session.conn.exec(sql, ()).await?;
            for answer in answers {
                let values = answer.unwrap();
                let key = normal_of(&place, &keys, &values)?;
                let mut rest = values.into_iter().skip(keys.len());
                let (total, sum) = (text(rest.next())?, text(rest.next())?);
                found.extend(places.get(&key).map(|&nth| Mismatch {
                    nth,
                    total: total.unwrap_or_default(),
                    sum: sum.unwrap_or_default(),
                }));
            }
        }
        Ok(found)
    };
    session.hold(work).await
}

pub async fn page(
    session: &Session,
    into: &Into,
    after: Option<&Normal>,
    own: Option<&str>,
    most: usize,
) -> Result<Vec<Normal>, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, into).await?;
        let keys = place.keys()?;
        let columns = place.key_names();
        let mut conditions = Vec::new();
        if let Some(after) = after {
            let mut values = Vec::new();
            for (part, text) in into.key.iter().zip(after) {
                values.push(literal(&place.column(&part.name)?.kind, text));
            }
            conditions.push(beyond(&columns, &values));
        }
        if let Some(own) = own {
            conditions.push(format!("NOT coalesce(({own}), FALSE)"));
        }
        let sql = format!(
            "SELECT {columns} FROM {} AS t{}{} ORDER BY {columns} LIMIT {most}",
            place.name(),
            if conditions.is_empty() { "" } else { " WHERE " },
            conditions.join(" AND "),
            columns = columns.join(", "),
        );
        let answers: Vec<Answer> = state.session.conn.exec(sql, ()).await?;
        let key = |answer: Answer| normal_of(&place, &keys, &answer.unwrap());
        answers.into_iter().map(key).collect()
    };
    session.hold(work).await
}

pub async fn normal(
    session: &Session,
    into: &Into,
    keys: &[&RowKey],
) -> Result<Vec<Normal>, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, into).await?;
        let normal = |key: &&RowKey| place.normal(key.iter().map(|part| &**part));
        keys.iter().map(normal).collect()
    };
    session.hold(work).await
}

/// The condition of a key that comes after this one: an index serves it, which it does not always
/// for a comparison of rows.
fn beyond(columns: &[String], values: &[String]) -> String {
    let parts = (0..columns.len()).map(|at| {
        let same = columns.iter().zip(values).take(at);
        let same: String = same.map(|(c, v)| format!("{c} = {v} AND ")).collect();
        format!("({same}{} > {})", columns[at], values[at])
    });
    format!("({})", parts.collect::<Vec<_>>().join(" OR "))
}

/// The columns by which rows are looked for, and the lists of their values as [`sql::among`] takes
/// them.
fn lists(
    place: &Place<'_>,
    wanted: &Wanted<'_>,
) -> Result<(Vec<String>, Vec<String>), TargetError> {
    let columns = names(wanted.columns.iter().copied());
    let mut lists = Vec::new();
    for list in &wanted.values {
        let mut values = Vec::new();
        for (name, text) in wanted.columns.iter().zip(list) {
            let column = place.column(name)?;
            values.push(literal(&column.kind, &stored(column, text)));
        }
        lists.push(sql::one_of(&columns, &values));
    }
    Ok((columns, lists))
}

/// The first values of an answer, which are those of these columns, as a key is told from others.
fn normal_of(
    place: &Place<'_>,
    columns: &[usize],
    values: &[Value],
) -> Result<Normal, TargetError> {
    let parts = columns.iter().zip(values).map(|(&at, value)| {
        let column = &place.table.columns[at];
        let cell: Cell = cell(value, column)?;
        let text = stored(column, cell.text().unwrap_or_default());
        Ok(column.ty.key_text(&text).to_owned())
    });
    parts.collect()
}

fn text(value: Option<Value>) -> Result<Option<String>, TargetError> {
    let text = value.map(from_value_opt::<Option<String>>);
    let text = text.and_then(Result::ok);
    text.ok_or_else(|| TargetError::Answer("a sum".into()))
}

fn number(value: Option<Value>) -> Result<usize, TargetError> {
    let number = match value {
        Some(Value::Bytes(bytes)) => std::str::from_utf8(&bytes)
            .ok()
            .and_then(|t| t.parse().ok()),
        Some(value) => from_value_opt::<usize>(value).ok(),
        None => None,
    };
    number.ok_or_else(|| TargetError::Answer("a number of rows".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_two_columns_comes_after_another() {
        let list = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        let after = beyond(&list(["a", "b"]), &list(["1", "2"]));
        assert_eq!(after, "((a > 1) OR (a = 1 AND b > 2))");
    }
}
