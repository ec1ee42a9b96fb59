//! Cart keys as they are typed, in the form in which cartage knows them.

use std::iter::once;

use super::CommandError;
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::mapping::plan::Mapping;
use crate::source::Source;
use crate::source::session::NotAKey;
use crate::target::words::Param;

/// A key of several columns is joined by `|`. The source's server reads each value as its column's
/// type and prints it: `007` is the cart 7, and a uuid may be typed in capitals.
pub async fn carts(
    source: &Source,
    mapping: &Mapping,
    typed: &[String],
) -> Result<Vec<CartKey>, CommandError> {
    in_layout(source, &mapping.layout, typed).await
}

/// The same where the layout is all that is known.
pub async fn in_layout(
    source: &Source,
    layout: &Layout,
    typed: &[String],
) -> Result<Vec<CartKey>, CommandError> {
    let (header, key) = layout.named_in();
    let columns: Vec<String> = key
        .iter()
        .map(|&c| format!("{} ({})", header.columns[c].name, header.columns[c].ty.name))
        .collect();
    let mut carts = Vec::with_capacity(typed.len());
    for text in typed {
        let refused = |why: &str| no_key(text, why, &columns);
        let values = CartKey::parse(text, key.len()).and_then(|key| key.values());
        let values = values.ok_or_else(|| refused(""))?;
        let printed = match source.printed(header, key, &values).await {
            Ok(printed) => printed,
            Err(NotAKey::Refused(why)) => return Err(refused(&format!(": {why}"))),
            Err(NotAKey::Ask(error)) => return Err(error.into()),
        };
        carts.push(
            header
                .key_of(key, printed.iter().map(|text| Some(text.as_str())))
                .ok_or_else(|| refused(""))?,
        );
    }
    Ok(carts)
}

/// Cart keys as they are typed, where the source cannot be asked how it prints them.
pub fn as_typed(layout: &Layout, typed: &[String]) -> Result<Vec<CartKey>, CommandError> {
    let (header, key) = layout.named_in();
    let columns = key.iter().map(|&c| header.columns[c].name.clone());
    let columns: Vec<String> = columns.collect();
    let each = typed
        .iter()
        .map(|text| CartKey::parse(text, key.len()).ok_or_else(|| no_key(text, "", &columns)));
    each.collect()
}

fn no_key(text: &str, why: &str, columns: &[String]) -> CommandError {
    CommandError::usage(format!(
        "`{text}` is not a cart key{why}; expected {}, joined by | (with \\ before a | or \\ inside a \
         value)",
        columns.join(", ")
    ))
}

/// Keys that are named in one statement.
pub const AT_ONCE: usize = 1_000;

/// The places of keys in a statement, after that of the pipeline.
pub fn places(keys: &[String]) -> String {
    let places: Vec<String> = (2..keys.len() + 2).map(|n| format!("${n}")).collect();
    places.join(", ")
}

/// What stands there.
pub fn params(pipeline: i32, keys: &[String]) -> Vec<Param<'_>> {
    once(Param::from(pipeline))
        .chain(keys.iter().map(Param::from))
        .collect()
}
