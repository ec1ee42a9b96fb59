//! Statements over the control tables in the words of both kinds of server, and their parameters.

use std::borrow::Cow;

use bytes::BytesMut;
use postgres_protocol::types as wire;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::source::change::Lsn;

/// A statement; its parameters are `$1`, `$2`, … in either words.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    pub postgres: Cow<'a, str>,
    pub mysql: Cow<'a, str>,
}

impl<'a> Words<'a> {
    pub fn each(postgres: impl Into<Cow<'a, str>>, mysql: impl Into<Cow<'a, str>>) -> Self {
        Self {
            postgres: postgres.into(),
            mysql: mysql.into(),
        }
    }
}

/// Words that both understand, but for the place of the control tables: a schema, or a prefix.
impl<'a> From<&'a str> for Words<'a> {
    fn from(words: &'a str) -> Self {
        Self::each(words, words.replace("cartage.", "cartage_"))
    }
}

/// A parameter. In Postgres it takes the type that the statement gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Param<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Lsn(Lsn),
}

macro_rules! from {
    ($($ty:ty, $value:ident => $param:expr;)*) => {$(
        impl<'a> From<$ty> for Param<'a> {
            fn from($value: $ty) -> Self {
                $param
            }
        }
    )*};
}

from! {
    bool, value => Self::Bool(value);
    i32, value => Self::Integer(value.into());
    i64, value => Self::Integer(value);
    u32, value => Self::Integer(value.into());
    f64, value => Self::Float(value);
    &'a str, value => Self::Text(value.into());
    String, value => Self::Text(value.into());
    &'a String, value => Self::Text(value.as_str().into());
    &'a [u8], value => Self::Bytes(value.into());
    Vec<u8>, value => Self::Bytes(value.into());
    Lsn, value => Self::Lsn(value);
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Parameters of one statement.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::target::words::Param::from($value)),*] as &[$crate::target::words::Param<'_>]
    };
}

#[derive(Debug, thiserror::Error)]
#[error("{param} is no {ty}")]
struct Mismatch {
    param: &'static str,
    ty: Type,
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let mismatch = |param| {
            Box::new(Mismatch {
                param,
                ty: ty.clone(),
            })
        };
        match (self, ty) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Bool(value), &Type::BOOL) => wire::bool_to_sql(*value, out),
            (Self::Integer(value), &Type::INT2) => wire::int2_to_sql((*value).try_into()?, out),
            (Self::Integer(value), &Type::INT4) => wire::int4_to_sql((*value).try_into()?, out),
            (Self::Integer(value), &Type::INT8) => wire::int8_to_sql(*value, out),
            (Self::Float(value), &Type::FLOAT8) => wire::float8_to_sql(*value, out),
            (Self::Text(value), &Type::JSONB) => {
                // The version of its form ("src/backend/utils/adt/jsonb.c", `jsonb_recv`).
                out.extend_from_slice(&[1]);
                out.extend_from_slice(value.as_bytes());
            }
            (Self::Text(value), _) => wire::text_to_sql(value, out),
            (Self::Bytes(value), &Type::BYTEA) => wire::bytea_to_sql(value, out),
            (Self::Lsn(value), &Type::PG_LSN) => wire::lsn_to_sql(value.0, out),
            (Self::Lsn(value), &Type::TEXT) => wire::text_to_sql(&value.to_string(), out),
            (Self::Bool(_), _) => return Err(mismatch("a boolean")),
            (Self::Integer(_), _) => return Err(mismatch("a whole number")),
            (Self::Float(_), _) => return Err(mismatch("a number")),
            (Self::Bytes(_), _) => return Err(mismatch("bytes")),
            (Self::Lsn(_), _) => return Err(mismatch("a position")),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl From<&Param<'_>> for mysql_async::Value {
    fn from(param: &Param<'_>) -> Self {
        match param {
            Param::Null => Self::NULL,
            Param::Bool(value) => (*value).into(),
            Param::Integer(value) => (*value).into(),
            Param::Float(value) => (*value).into(),
            Param::Text(value) => value.as_bytes().into(),
            Param::Bytes(value) => Self::Bytes(value.to_vec()),
            Param::Lsn(value) => value.0.into(),
        }
    }
}

/// The statement with `?` for its parameters, and these in the order in which they stand there.
pub fn positional(sql: &str, params: &[Param<'_>]) -> (String, Vec<mysql_async::Value>) {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut values = Vec::new();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: Option<usize> = part[..digits].parse().ok();
        match number.and_then(|n| params.get(n.checked_sub(1)?)) {
            Some(param) => {
                out.push('?');
                out.push_str(&part[digits..]);
                values.push(param.into());
            }
            None => {
                out.push('$');
                out.push_str(part);
            }
        }
    }
    (out, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_find_their_control_tables() {
        let words = Words::from("SELECT id FROM cartage.pipeline WHERE name = $1");
        assert_eq!(
            words.postgres,
            "SELECT id FROM cartage.pipeline WHERE name = $1"
        );
        assert_eq!(
            words.mysql,
            "SELECT id FROM cartage_pipeline WHERE name = $1"
        );
    }

    #[test]
    fn parameters_go_to_their_places() {
        let (sql, values) = positional("a = $2 AND b = $1 OR a > $2", params![7, "x"]);
        assert_eq!(sql, "a = ? AND b = ? OR a > ?");
        let x = mysql_async::Value::from("x");
        assert_eq!(values, [x.clone(), 7i64.into(), x]);
    }
}
