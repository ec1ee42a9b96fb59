//! A row as JSON, for a human to see.

use data_encoding::HEXLOWER;
use mysql_async::Value;
use serde_json::{Map, Number};

use crate::mysql::catalog::LogColumn;
use crate::mysql::types::Kind;
use crate::mysql::value::of_query;
use crate::sqltype::Class;

/// Numbers as they are printed, documents as they are, and the rest as texts.
pub fn row(columns: &[LogColumn], values: &[Value]) -> String {
    let fields = columns.iter().zip(values);
    let fields = fields.map(|(column, value)| (column.name.clone(), field(column, value)));
    serde_json::Value::Object(fields.collect::<Map<_, _>>()).to_string()
}

fn field(column: &LogColumn, value: &Value) -> serde_json::Value {
    let text = match (of_query(value, column), value) {
        (Ok(cell), _) => match cell.text() {
            Some(text) => text.to_owned(),
            None => return serde_json::Value::Null,
        },
        // Of a type that nobody here reads.
        (Err(_), Value::NULL) => return serde_json::Value::Null,
        (Err(_), Value::Bytes(bytes)) => format!("\\x{}", HEXLOWER.encode(bytes)),
        (Err(_), value) => value.as_sql(true),
    };
    let number = column.ty.class.is_number() && column.kind != Kind::Year;
    match serde_json::from_str::<Number>(&text) {
        Ok(number_of) if number => return number_of.into(),
        _ => {}
    }
    match column.ty.class {
        Class::Json => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}
