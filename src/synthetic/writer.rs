//! The one session that writes into the old database: bound values, the tables of the plan alone, and
//! each step one transaction.

use tokio_postgres::types::ToSql;

use super::SyntheticError;
use super::plan::{Made, Plan, Value, parts};
use super::template::{self, Known};
use crate::catalog::{Catalog, TableInfo};
use crate::config::Endpoint;
use crate::mysql::sql;
use crate::source::Source;
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::target::postgres::statement::cast;

/// The old shop comes first: whatever has to wait for it is given up.
const PATIENCE: &str = "SET lock_timeout = '5s'; SET statement_timeout = '20s'";
const PATIENCE_THERE: &str = "SET SESSION innodb_lock_wait_timeout = 5, lock_wait_timeout = 5";
/// An update that looks for its rows keeps no lock on those that it does not change.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

#[derive(Debug)]
pub struct Writer {
    pub source: Source,
    catalog: Catalog,
}

/// A statement in the making, and what is bound to it.
#[derive(Default)]
struct Bound {
    values: Vec<String>,
}

impl Writer {
    pub async fn open(endpoint: &Endpoint, plan: &Plan) -> Result<Self, SyntheticError> {
        let source = super::connect::source(endpoint).await?;
        match &source {
            Source::Postgres(client) => client.batch_execute(PATIENCE).await?,
            Source::Mysql(session) => {
                session.run(PATIENCE_THERE).await?;
                session.run(ISOLATION).await?;
            }
        }
        let catalog = source.catalog(&plan.tables()).await?;
        Ok(Self { source, catalog })
    }

    /// Makes all rows of a cart; `known` gets their values.
    pub async fn create(&self, plan: &Plan, known: &mut Known) -> Result<(), SyntheticError> {
        self.begin().await?;
        let mut filled = known.clone();
        let done = self.make(plan, &mut filled).await;
        self.end(done).await?;
        *known = filled;
        Ok(())
    }

    async fn make(&self, plan: &Plan, known: &mut Known) -> Result<(), SyntheticError> {
        for made in &plan.rows {
            let table = self.table(&made.table)?;
            let mut bound = Bound::default();
            let (mut names, mut places) = (Vec::new(), Vec::new());
            for (column, value) in rendered(made, known)? {
                names.push(self.name(&column));
                places.push(self.place(table, &column, value.clone(), &mut bound)?);
                known
                    .values
                    .insert(format!("{}.{column}", made.name), value);
            }
            let mut text = format!(
                "INSERT INTO {} ({}) VALUES ({})",
                self.full(table),
                names.join(", "),
                places.join(", ")
            );
            let back = made.returning.as_ref();
            let given = match (&self.source, back) {
                (Source::Postgres(client), Some(back)) => {
                    text += &format!(" RETURNING {}::text", quoted_name(back));
                    let row = client.query_one(&text, &bound.params()).await?;
                    row.try_get::<_, Option<String>>(0)?
                }
                (Source::Postgres(client), None) => {
                    client.execute(&text, &bound.params()).await?;
                    None
                }
                (Source::Mysql(session), back) => {
                    let (_, id) = session.execute(text, bound.values).await?;
                    let column = back.and_then(|back| table.column(back));
                    match (back, column.is_some_and(|column| column.identity)) {
                        // It tells the numbers that it counts, and nothing else that it fills in.
                        (Some(back), false) => self.filled(made, known, table, back).await?,
                        _ => id.map(|id| id.to_string()),
                    }
                }
            };
            if let Some(back) = back {
                let place = format!("{}.{back}", made.name);
                match given {
                    Some(given) => known.values.insert(place, given),
                    None if known.values.contains_key(&place) => None,
                    None => {
                        return Err(SyntheticError::Plan(format!(
                            "the server gave no value for {back} of {}",
                            made.table
                        )));
                    }
                };
            }
        }
        Ok(())
    }

    /// Changes rows of a cart. Each change must meet one.
    pub async fn change(&self, plan: &Plan, known: &Known) -> Result<(), SyntheticError> {
        self.begin().await?;
        let done = self.alter(plan, known).await;
        self.end(done).await
    }

    async fn alter(&self, plan: &Plan, known: &Known) -> Result<(), SyntheticError> {
        for change in &plan.changes {
            let Some(made) = plan.row(&change.row) else {
                continue;
            };
            let table = self.table(&made.table)?;
            let mut bound = Bound::default();
            let mut set = Vec::new();
            for (column, template) in &change.set {
                let at = format!("{}.{column}", made.name);
                let value = template::render(&parts(template), known, &at);
                let value = value.ok_or_else(|| unknown(template))?;
                let place = self.place(table, column, value, &mut bound)?;
                set.push(format!("{} = {place}", self.name(column)));
            }
            let Some(found) = self.found_by(made, known, table, &mut bound)? else {
                return Err(SyntheticError::Plan(format!("{} is not known", made.name)));
            };
            let text = format!(
                "UPDATE {} SET {} WHERE {found}",
                self.full(table),
                set.join(", ")
            );
            if self.execute(text, bound).await? == 0 {
                return Err(SyntheticError::Plan(format!(
                    "the change of {} met no row, or left it as it was",
                    made.name
                )));
            }
        }
        Ok(())
    }

    /// Removes all rows of a cart, and says how many there were. What is not there is no error.
    pub async fn remove(&self, plan: &Plan, known: &Known) -> Result<u64, SyntheticError> {
        self.begin().await?;
        let done = self.delete(plan, known).await;
        self.end(done).await
    }

    async fn delete(&self, plan: &Plan, known: &Known) -> Result<u64, SyntheticError> {
        let known = self.look(plan, known).await?;
        let mut gone = 0;
        for remove in &plan.removes {
            let table = self.table(&remove.table)?;
            let mut bound = Bound::default();
            let matches = remove.matches.iter();
            if let Some(found) =
                self.condition(matches, &remove.table, &known, table, &mut bound)?
            {
                let text = format!("DELETE FROM {} WHERE {found}", self.full(table));
                gone += self.execute(text, bound).await?;
            }
        }
        for made in plan.rows.iter().rev() {
            let table = self.table(&made.table)?;
            let mut bound = Bound::default();
            if let Some(found) = self.found_by(made, &known, table, &mut bound)? {
                let text = format!("DELETE FROM {} WHERE {found}", self.full(table));
                gone += self.execute(text, bound).await?;
            }
        }
        Ok(gone)
    }

    /// The values of a cart's rows as the tables have them now. Of a row that is not there nothing is
    /// known that the server gave: its key may be a customer's by now.
    async fn look(&self, plan: &Plan, known: &Known) -> Result<Known, SyntheticError> {
        let mut found = Known {
            values: Default::default(),
            ..known.clone()
        };
        for made in &plan.rows {
            for (column, template) in &made.values {
                let at = format!("{}.{column}", made.name);
                if let Some(value) = template::render(&parts(template), &found, &at) {
                    found.values.insert(at, value);
                }
            }
            let Some(back) = &made.returning else {
                continue;
            };
            let at = format!("{}.{back}", made.name);
            // With the key that was written down the row is found by it, and must have the mark still.
            if let Some(value) = known.values.get(&at) {
                found.values.insert(at.clone(), value.clone());
            }
            let table = self.table(&made.table)?;
            let mut bound = Bound::default();
            let condition = self.found_by(made, &found, table, &mut bound)?;
            found.values.remove(&at);
            let Some(condition) = condition else { continue };
            let value = self.read_back(table, back, &condition, bound).await?;
            if let Some(value) = value {
                found.values.insert(at, value);
            }
        }
        Ok(found)
    }

    /// What the server has filled into a column of a row that was just made.
    async fn filled(
        &self,
        made: &Made,
        known: &Known,
        table: &TableInfo,
        column: &str,
    ) -> Result<Option<String>, SyntheticError> {
        let mut bound = Bound::default();
        match self.found_by(made, known, table, &mut bound)? {
            Some(condition) => self.read_back(table, column, &condition, bound).await,
            None => Ok(None),
        }
    }

    async fn read_back(
        &self,
        table: &TableInfo,
        column: &str,
        condition: &str,
        bound: Bound,
    ) -> Result<Option<String>, SyntheticError> {
        let (full, name) = (self.full(table), self.name(column));
        match &self.source {
            Source::Postgres(client) => {
                let text = format!("SELECT {name}::text FROM {full} WHERE {condition} LIMIT 1");
                let row = client.query_opt(&text, &bound.params()).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
            }
            Source::Mysql(session) => {
                let text =
                    format!("SELECT CAST({name} AS CHAR) FROM {full} WHERE {condition} LIMIT 1");
                Ok(session.text(text, bound.values).await?)
            }
        }
    }

    /// The condition that only this row of this cart meets; none where a value of it is not known.
    fn found_by(
        &self,
        made: &Made,
        known: &Known,
        table: &TableInfo,
        bound: &mut Bound,
    ) -> Result<Option<String>, SyntheticError> {
        let condition = self.condition(made.ties(), &made.name, known, table, bound)?;
        let Some(mut condition) = condition else {
            return Ok(None);
        };
        if let Some(back) = &made.returning
            && let Some(value) = known.values.get(&format!("{}.{back}", made.name))
        {
            let place = self.place(table, back, value.clone(), bound)?;
            condition += &format!(" AND {} = {place}", self.name(back));
        }
        Ok(Some(condition))
    }

    /// None where one of the values is not known, and where nothing would mark the row.
    fn condition<'a>(
        &self,
        values: impl Iterator<Item = &'a Value>,
        row: &str,
        known: &Known,
        table: &TableInfo,
        bound: &mut Bound,
    ) -> Result<Option<String>, SyntheticError> {
        let mut conditions = Vec::new();
        let mut marked = false;
        for (column, template) in values {
            let parts = parts(template);
            marked |= template::marks(&parts);
            let Some(value) = template::render(&parts, known, &format!("{row}.{column}")) else {
                return Ok(None);
            };
            let place = self.place(table, column, value, bound)?;
            conditions.push(format!("{} = {place}", self.name(column)));
        }
        Ok(marked.then(|| conditions.join(" AND ")))
    }

    fn table(&self, name: &str) -> Result<&TableInfo, SyntheticError> {
        let table = self.catalog.find(name);
        table.ok_or_else(|| SyntheticError::Plan(format!("the source has no table {name}")))
    }

    fn full(&self, table: &TableInfo) -> String {
        match &self.source {
            Source::Postgres(_) => quoted(&table.schema, &table.name),
            Source::Mysql(_) => sql::qualified(&table.schema, &table.name),
        }
    }

    fn name(&self, column: &str) -> String {
        match &self.source {
            Source::Postgres(_) => quoted_name(column),
            Source::Mysql(_) => sql::identifier(column),
        }
    }

    /// The place of a value in a statement: the server reads it as its column's type.
    fn place(
        &self,
        table: &TableInfo,
        column: &str,
        value: String,
        bound: &mut Bound,
    ) -> Result<String, SyntheticError> {
        let info = table.column(column).ok_or_else(|| {
            SyntheticError::Plan(format!("{} has no column {column}", table.name))
        })?;
        bound.values.push(value);
        Ok(match &self.source {
            Source::Postgres(_) => format!("${}::text::{}", bound.values.len(), cast(&info.ty)),
            Source::Mysql(_) => "?".to_owned(),
        })
    }

    async fn execute(&self, text: String, bound: Bound) -> Result<u64, SyntheticError> {
        match &self.source {
            Source::Postgres(client) => Ok(client.execute(&text, &bound.params()).await?),
            Source::Mysql(session) => Ok(session.execute(text, bound.values).await?.0),
        }
    }

    async fn begin(&self) -> Result<(), SyntheticError> {
        match &self.source {
            Source::Postgres(client) => Ok(client.batch_execute("BEGIN").await?),
            Source::Mysql(session) => Ok(session.run("START TRANSACTION").await?),
        }
    }

    /// Commits what went well, and takes the rest back.
    async fn end<T>(&self, done: Result<T, SyntheticError>) -> Result<T, SyntheticError> {
        let word = match done {
            Ok(_) => "COMMIT",
            Err(_) => "ROLLBACK",
        };
        let ended: Result<(), SyntheticError> = match &self.source {
            Source::Postgres(client) => client.batch_execute(word).await.map_err(Into::into),
            Source::Mysql(session) => session.run(word).await.map_err(Into::into),
        };
        let done = done?;
        ended?;
        Ok(done)
    }
}

impl Bound {
    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        let param = |value| value as &(dyn ToSql + Sync);
        self.values.iter().map(param).collect()
    }
}

/// The values of a row that is made; a later value of it may use an earlier one.
fn rendered(made: &Made, known: &Known) -> Result<Vec<Value>, SyntheticError> {
    let value = |(column, template): &Value| {
        let at = format!("{}.{column}", made.name);
        let value = template::render(&parts(template), known, &at);
        Ok((column.clone(), value.ok_or_else(|| unknown(template))?))
    };
    made.values.iter().map(value).collect()
}

fn unknown(template: &str) -> SyntheticError {
    SyntheticError::Plan(format!("{template} names a value that is not known"))
}
