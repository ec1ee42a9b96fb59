//! Cart keys as they are typed, in the form in which cartage knows them.

use tokio_postgres::Client;

use super::CommandError;
use crate::cart::image::Cell;
use crate::cart::key::CartKey;
use crate::mapping::plan::Mapping;
use crate::postgres::fault;
use crate::target::statement;

/// A key of several columns is joined by `|`. The source's server reads each value as its column's
/// type and prints it: `007` is the cart 7, and a uuid may be typed in capitals.
pub async fn carts(
    source: &Client,
    mapping: &Mapping,
    typed: &[String],
) -> Result<Vec<CartKey>, CommandError> {
    let header = mapping.layout.header();
    let key = header.cart.as_deref().unwrap_or(&header.key);
    let columns: Vec<String> = key
        .iter()
        .map(|&c| format!("{} ({})", header.columns[c].name, header.columns[c].ty.name))
        .collect();
    // Without a length or scale, for a cast would cut what is too long, and name another cart.
    let printed: Vec<String> = (1..)
        .zip(key)
        .map(|(n, &c)| {
            let ty = &header.columns[c].ty;
            format!("format('%s', ${n}::text::{})", statement::cast(ty))
        })
        .collect();
    let query = format!("SELECT {}", printed.join(", "));
    let mut carts = Vec::with_capacity(typed.len());
    for text in typed {
        let refused = |why: &str| {
            CommandError::usage(format!(
                "`{text}` is not a cart key{why}; expected {}, joined by | (with \\ before a | or \\ \
                 inside a value)",
                columns.join(", ")
            ))
        };
        let values = CartKey::parse(text, key.len()).and_then(|key| key.values());
        let values = values.ok_or_else(|| refused(""))?;
        let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = values
            .iter()
            .map(|v| v as &(dyn tokio_postgres::types::ToSql + Sync))
            .collect();
        let row = match source.query_one(&query, &params).await {
            Ok(row) => row,
            Err(error) if error.as_db_error().is_some() => {
                return Err(refused(&format!(": {}", fault::describe(&error))));
            }
            Err(error) => return Err(CommandError::failed(fault::describe(&error))),
        };
        let mut cells = Vec::with_capacity(key.len());
        for at in 0..key.len() {
            cells.push(Cell::Text(row.try_get::<_, &str>(at)?.into()));
        }
        carts.push(
            header
                .key_of(key, cells.iter().map(|cell| cell.text()))
                .ok_or_else(|| refused(""))?,
        );
    }
    Ok(carts)
}
