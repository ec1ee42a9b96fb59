//! Cart keys as the source prints them.

use super::session::Session;
use crate::cart::layout::Table;
use crate::mysql::literal::literal;
use crate::mysql::sql;
use crate::mysql::types::Kind;
use crate::mysql::value::of_query;
use crate::source::error::AskError;
use crate::source::session::NotAKey;

/// A key that is in the table is printed as it is there, `007` as 7. One that is not is taken as it
/// was typed: the server compares it with the column, and has no cast to every type.
pub async fn printed(
    session: &Session,
    table: &Table,
    key: &[usize],
    values: &[String],
) -> Result<Vec<String>, NotAKey> {
    let described = session.described(table).await.map_err(NotAKey::Ask)?;
    let (mut names, mut conditions, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for (&c, text) in key.iter().zip(values) {
        let name = &table.columns[c].name;
        let column = described.columns.iter().find(|c| &c.name == name);
        let Some(column) = column else {
            let (table, column) = (format!("{}.{}", table.schema, table.name), name.clone());
            return Err(NotAKey::Ask(AskError::NoColumn { table, column }));
        };
        let number = matches!(
            column.kind,
            Kind::Integer { .. } | Kind::Decimal | Kind::Year | Kind::Bit
        );
        if number && text.parse::<bigdecimal::BigDecimal>().is_err() {
            return Err(NotAKey::Refused(format!("{text} is no number")));
        }
        conditions.push(format!(
            "{} = {}",
            sql::identifier(name),
            literal(&column.kind, text)
        ));
        names.push(sql::identifier(name));
        columns.push(column);
    }
    let query = format!(
        "SELECT {} FROM {} WHERE {} LIMIT 1",
        names.join(", "),
        sql::qualified(&table.schema, &table.name),
        conditions.join(" AND ")
    );
    let Some(row) = session.first(query).await.map_err(NotAKey::Ask)? else {
        return Ok(values.to_vec());
    };
    let mut printed = Vec::new();
    for (value, column) in row.unwrap().iter().zip(columns) {
        let cell = of_query(value, column).map_err(|error| NotAKey::Ask(error.into()))?;
        printed.push(cell.text().unwrap_or_default().to_owned());
    }
    Ok(printed)
}
