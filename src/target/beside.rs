//! Rows of a target table by values that need not be its key: read, counted, summed up, or page by
//! page. Verification looks so at what no source row stands for.

use super::error::TargetError;
use super::session::Target;
use super::{mysql, postgres};
use crate::mapping::expr::canonical;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::sqltype::SqlType;

/// Rows of which these columns, all of them of the mapping, hold one of the lists of values.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub into: &'a Into,
    pub columns: Vec<&'a str>,
    pub values: Vec<Vec<&'a str>>,
}

/// A row, and the place of the list of values that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub nth: usize,
    pub texts: Vec<Option<String>>,
}

/// How many rows hold a list of values, with the least and the greatest quantity among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub nth: usize,
    pub rows: usize,
    pub least: Option<String>,
    pub most: Option<String>,
}

/// A total that the header's table keeps, and what it is the sum of.
#[derive(Clone, Debug)]
pub struct Sum {
    pub total: String,
    pub schema: String,
    pub table: String,
    /// Columns of that table, each with the header's column whose value it holds.
    pub link: Vec<(String, String)>,
    /// In the target's SQL, over the columns of that table.
    pub value: String,
}

/// A header whose total is another than the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub nth: usize,
    pub total: String,
    pub sum: String,
}

/// A key in the form in which it is told from others.
pub type Normal = Vec<String>;

impl Into {
    /// The type of one of its columns, or keys.
    pub fn type_of(&self, name: &str) -> Option<&SqlType> {
        let keys = self.key.iter().map(|key| (&key.name, &key.ty));
        let mut all = keys.chain(self.columns.iter().map(|c| (&c.name, &c.ty)));
        all.find(|(known, _)| *known == name).map(|(_, ty)| ty)
    }

    pub fn normal<'k>(&self, parts: impl Iterator<Item = &'k str>) -> Normal {
        let form = |(text, ty): (&str, &SqlType)| {
            let text = canonical(text, ty).unwrap_or_else(|_| text.into());
            ty.key_text(&text).to_owned()
        };
        parts
            .zip(self.key.iter().map(|key| &key.ty))
            .map(form)
            .collect()
    }
}

/// The rows that hold these values, with the columns asked for: texts as they are compared.
pub async fn rows(
    target: &Target,
    wanted: &Wanted<'_>,
    read: &[&str],
) -> Result<Vec<Row>, TargetError> {
    match target {
        _ if wanted.values.is_empty() => Ok(Vec::new()),
        Target::Postgres(client) => Ok(postgres::beside::rows(client, wanted, read).await?),
        Target::Mysql(session) => mysql::beside::rows(session, wanted, read).await,
    }
}

/// One statement, or a few where there is much to say. Lists of values that no row holds are left out.
pub async fn counts(
    target: &Target,
    wanted: &Wanted<'_>,
    quantity: &str,
) -> Result<Vec<Count>, TargetError> {
    match target {
        _ if wanted.values.is_empty() => Ok(Vec::new()),
        Target::Postgres(client) => Ok(postgres::beside::counts(client, wanted, quantity).await?),
        Target::Mysql(session) => mysql::beside::counts(session, wanted, quantity).await,
    }
}

/// The headers of these keys whose total is not the sum. A total that is null says nothing. Without
/// keys it only has the server look at the statement.
pub async fn sums(
    target: &Target,
    header: &Into,
    sum: &Sum,
    keys: &[&RowKey],
) -> Result<Vec<Mismatch>, TargetError> {
    match target {
        Target::Postgres(client) => Ok(postgres::beside::sums(client, header, sum, keys).await?),
        Target::Mysql(session) => mysql::beside::sums(session, header, sum, keys).await,
    }
}

/// The next keys of a table in the order of its key, without the rows for which `own` holds.
pub async fn page(
    target: &Target,
    into: &Into,
    after: Option<&Normal>,
    own: Option<&str>,
    most: usize,
) -> Result<Vec<Normal>, TargetError> {
    match target {
        Target::Postgres(client) => {
            Ok(postgres::beside::page(client, into, after, own, most).await?)
        }
        Target::Mysql(session) => mysql::beside::page(session, into, after, own, most).await,
    }
}

/// Keys of ours in the form of those that are read.
pub async fn normal(
    target: &Target,
    into: &Into,
    keys: &[&RowKey],
) -> Result<Vec<Normal>, TargetError> {
    match target {
        Target::Postgres(_) => {
            let normal = keys.iter().map(|key| into.normal(key.iter().map(|p| &**p)));
            Ok(normal.collect())
        }
        Target::Mysql(session) => mysql::beside::normal(session, into, keys).await,
    }
}
