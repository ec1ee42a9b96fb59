//! Target rows as a repair records them: with their keys and lock tokens, and with every column.

use serde_json::{Value, json};

use crate::mapping::plan::Mapping;
use crate::target::found::FoundRows;

/// One row of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// `schema.table`.
    pub table: String,
    pub key: Vec<String>,
    pub token: Option<String>,
    /// An object: column and value.
    pub row: Value,
}

/// The rows as a JSON array, in one order.
pub fn of(mapping: &Mapping, found: &FoundRows) -> String {
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|(id, _)| *id);
    let rows = found.into_iter().map(|((into, key), there)| {
        let row = match there.json.as_deref() {
            None => Value::Null,
            // A json column can hold it, and jsonb, which keeps the document, cannot.
            Some(row) if row.contains("\\u0000") => row.into(),
            Some(row) => serde_json::from_str(row).unwrap_or(Value::Null),
        };
        json!({
            "table": mapping.intos[*into].full_name(),
            "key": key.iter().map(|part| &**part).collect::<Vec<_>>(),
            "token": there.token.as_deref(),
            "row": row,
        })
    });
    Value::Array(rows.collect()).to_string()
}

/// The rows of a document again. None where it is none of ours.
pub fn read(text: &str) -> Option<Vec<Recorded>> {
    let Value::Array(rows) = serde_json::from_str(text).ok()? else {
        return None;
    };
    let row = |value: &Value| {
        let key = value["key"].as_array()?.iter();
        Some(Recorded {
            table: value["table"].as_str()?.to_owned(),
            key: key
                .map(|part| Some(part.as_str()?.to_owned()))
                .collect::<Option<_>>()?,
            token: value["token"].as_str().map(str::to_owned),
            row: match &value["row"] {
                Value::String(text) => serde_json::from_str(text).ok()?,
                row => row.clone(),
            },
        })
    };
    rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let text = r#"[{"table":"s.t","key":["1","a"],"token":"3","row":{"n":12.50,"x":null}},
                       {"table":"s.t","key":["2","b"],"token":null,"row":"{\"n\":\"\\u0000\"}"}]"#;
        let rows = read(text).unwrap();
        assert_eq!(rows[0].row["n"].to_string(), "12.50");
        assert_eq!(
            (rows[0].token.as_deref(), rows[1].token.as_deref()),
            (Some("3"), None)
        );
        assert_eq!(rows[1].row["n"], "\0");
        assert_eq!(read("{}"), None);
    }
}
