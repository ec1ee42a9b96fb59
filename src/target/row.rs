//! A row of an answer, read alike from both kinds of server.

use mysql_async::Value;
use mysql_async::prelude::FromValue;
use tokio_postgres::types::{FromSql, PgLsn, Type};

use super::error::TargetError;
use crate::source::change::Lsn;

#[derive(Debug)]
pub enum Row {
    Postgres(tokio_postgres::Row),
    Mysql(mysql_async::Row),
}

/// What is read from a column.
pub trait Field: Sized {
    fn of_postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self, tokio_postgres::Error>;
    /// None where it is something else.
    fn of_mysql(value: Value) -> Option<Self>;
}

impl Row {
    /// A column by its place.
    pub fn get<T: Field>(&self, at: usize) -> Result<T, TargetError> {
        match self {
            Self::Postgres(row) => Ok(T::of_postgres(row, at)?),
            Self::Mysql(row) => {
                let value = row.as_ref(at).cloned();
                value.and_then(T::of_mysql).ok_or_else(|| {
                    let columns = row.columns_ref();
                    let name = columns.get(at).map(|c| c.name_str().into_owned());
                    TargetError::Answer(name.unwrap_or_else(|| format!("column {at}")))
                })
            }
        }
    }
}

impl<T: Field> Field for Option<T> {
    fn of_postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self, tokio_postgres::Error> {
        match row.try_get::<_, Option<Anything>>(at)? {
            Some(Anything) => T::of_postgres(row, at).map(Some),
            None => Ok(None),
        }
    }

    fn of_mysql(value: Value) -> Option<Self> {
        match value {
            Value::NULL => Some(None),
            value => T::of_mysql(value).map(Some),
        }
    }
}

struct Anything;

impl FromSql<'_> for Anything {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

macro_rules! plain {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            fn of_postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self, tokio_postgres::Error> {
                row.try_get(at)
            }

            fn of_mysql(value: Value) -> Option<Self> {
                <$ty>::from_value_opt(value).ok()
            }
        }
    )*};
}

plain!(bool, i32, f64, String, Vec<u8>);

impl Field for i64 {
    fn of_postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self, tokio_postgres::Error> {
        match row.columns().get(at).map(|c| c.type_()) {
            Some(&Type::INT4) => Ok(row.try_get::<_, i32>(at)?.into()),
            _ => row.try_get(at),
        }
    }

    /// Sums are decimals there.
    fn of_mysql(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok(),
            value => Self::from_value_opt(value).ok(),
        }
    }
}

impl Field for Lsn {
    fn of_postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self, tokio_postgres::Error> {
        row.try_get::<_, PgLsn>(at).map(|lsn| Lsn(lsn.into()))
    }

    fn of_mysql(value: Value) -> Option<Self> {
        u64::from_value_opt(value).ok().map(Lsn)
    }
}
