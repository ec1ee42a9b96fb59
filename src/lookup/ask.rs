//! Questions to the two ends: one statement for all arguments of a lookup, values as the log prints
//! them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::cache::Cache;
use super::error::LookupError;
use super::keys::{Keys, Unallocated};
use crate::cart::answers::{Given, Question};
use crate::cart::image::{Cell, Cells};
use crate::cart::layout::{Column, Layout, Table};
use crate::config::Config;
use crate::mapping::expr::TargetCondition;
use crate::mapping::lookup::{End, Lookup};
use crate::mapping::plan::Mapping;
use crate::source::{AskError, Source};
use crate::sqltype::SqlType;

/// Arguments in one statement.
const CHUNK: usize = 1_000;

/// A session to each end that is asked, and what they have answered lately.
#[derive(Debug)]
pub struct Asker {
    source: Option<Source>,
    target: Option<Source>,
    keys: Option<Keys>,
    lookups: Vec<Asked>,
    cache: Mutex<Cache>,
    statements: AtomicU64,
}

#[derive(Debug)]
struct Asked {
    lookup: Arc<Lookup>,
    /// The table with the columns that are read: those that match, those to get, those of `where`.
    layout: Layout,
    condition: Option<TargetCondition>,
    keep: Duration,
}

impl Asker {
    /// Opens a session to each end that a lookup asks. A session that breaks is not opened again: who
    /// asks begins anew, as after every break.
    pub async fn connect(
        config: &Config,
        mapping: &Mapping,
        unallocated: Unallocated,
    ) -> Result<Self, LookupError> {
        let (mut source, mut target) = (None, None);
        let ends = [
            (End::Source, &config.source, &mut source),
            (End::Target, &config.target, &mut target),
        ];
        for (end, endpoint, session) in ends {
            let asked = |lookup: &Arc<Lookup>| lookup.on == end && !lookup.allocated;
            if mapping.lookups.iter().any(asked) {
                let opened = Source::watched(endpoint, "lookup").await;
                *session = Some(opened.map_err(|why| LookupError::Connect { end, why })?);
            }
        }
        let keep = |lookup: &Lookup| {
            // An allocated key stays what it is.
            if lookup.allocated {
                return Duration::MAX;
            }
            let mut written = config.lookups.iter();
            let found = written.find(|l| *l.name.get_ref() == lookup.name);
            found.map_or(Duration::ZERO, |l| l.cache)
        };
        let lookups = mapping.lookups.iter();
        Ok(Self {
            source,
            target,
            keys: Keys::connect(config, mapping, unallocated).await?,
            lookups: lookups
                .map(|lookup| Asked::of(lookup, keep(lookup)))
                .collect(),
            cache: Mutex::default(),
            statements: AtomicU64::new(0),
        })
    }

    /// How many statements were sent.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The answers of today; those that were given just now may serve, if `cached`.
    pub async fn answers(
        &self,
        questions: BTreeSet<Question>,
        cached: bool,
    ) -> Result<HashMap<Question, Given>, LookupError> {
        let mut answers = HashMap::new();
        let mut open: BTreeMap<usize, Vec<Question>> = BTreeMap::new();
        {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            for question in questions {
                let keep = self.lookups.get(question.lookup).map(|asked| asked.keep);
                let known = keep.and_then(|keep| cache.get(&question, keep, now));
                match known.filter(|_| cached) {
                    Some(given) => {
                        answers.insert(question, given);
                    }
                    None => open.entry(question.lookup).or_default().push(question),
                }
            }
        }
        for (lookup, questions) in open {
            let Some(asked) = self.lookups.get(lookup) else {
                continue;
            };
            for chunk in questions.chunks(CHUNK) {
                let given = self.ask(asked, chunk).await?;
                let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                for (question, given) in chunk.iter().zip(given) {
                    cache.put(question.clone(), given.clone(), now);
                    answers.insert(question.clone(), given);
                }
            }
        }
        Ok(answers)
    }

    async fn ask(&self, asked: &Asked, questions: &[Question]) -> Result<Vec<Given>, LookupError> {
        if asked.lookup.allocated {
            let Some(keys) = &self.keys else {
                return Ok(questions.iter().map(|_| Given::Missing).collect());
            };
            self.statements.fetch_add(1, Ordering::Relaxed);
            return keys.ask(&asked.lookup, questions).await;
        }
        let end = asked.lookup.on;
        let session = match end {
            End::Source => &self.source,
            End::Target => &self.target,
        };
        let Some(session) = session else {
            return Ok(questions.iter().map(|_| Given::Missing).collect());
        };
        self.statements.fetch_add(1, Ordering::Relaxed);
        let args: Vec<Vec<String>> = questions
            .iter()
            .map(|q| q.args.iter().map(|arg| arg.to_string()).collect())
            .collect();
        let rows = asked.rows(session, &args).await;
        let rows = rows.map_err(|why| LookupError::Ask {
            end,
            lookup: asked.lookup.name.clone(),
            why,
        })?;
        Ok(asked.given(questions, rows))
    }
}

impl Asked {
    /// The rows that match one of the arguments, and perhaps others.
    fn rows<'a>(
        &'a self,
        session: &'a Source,
        args: &'a [Vec<String>],
    ) -> BoxFuture<'a, Result<Vec<Cells>, AskError>> {
        Box::pin(session.rows(&self.layout, Layout::HEADER, args))
    }

    fn of(lookup: &Arc<Lookup>, keep: Duration) -> Self {
        let all = lookup.matches.iter().chain(&lookup.get);
        let matched: Vec<usize> = (0..lookup.matches.len()).collect();
        let table = Table {
            alias: lookup.name.clone(),
            schema: lookup.schema.clone(),
            name: lookup.table.clone(),
            columns: all.chain(&lookup.filter_columns).cloned().collect(),
            key: matched.clone(),
            cart: Some(matched),
            parent: None,
        };
        let typed = |c: &Column| -> (String, SqlType) { (c.name.clone(), c.ty.clone()) };
        let columns: Vec<_> = lookup.filter_columns.iter().map(typed).collect();
        // It was compiled with the mapping.
        let condition = lookup
            .filter
            .as_ref()
            .and_then(|text| TargetCondition::compile(text, &columns).ok());
        Self {
            lookup: lookup.clone(),
            layout: Layout {
                tables: vec![table],
            },
            condition,
            keep,
        }
    }

    /// What the rows answer. The server's collation may find more than was asked for: what counts
    /// are the texts, as everywhere in the mapping.
    fn given(&self, questions: &[Question], rows: Vec<Cells>) -> Vec<Given> {
        let (matches, get) = (self.lookup.matches.len(), self.lookup.get.len());
        let mut found: HashMap<Vec<&str>, Given> = HashMap::new();
        for cells in rows.iter().filter(|cells| self.passes(cells)) {
            let key = cells
                .iter()
                .zip(&self.lookup.matches)
                .map(|(cell, column)| {
                    let text = cell.text()?;
                    Some(column.ty.key_text(text))
                });
            let Some(key) = key.collect::<Option<Vec<&str>>>() else {
                continue;
            };
            let row: Cells = cells[matches..matches + get].into();
            let given = found.entry(key).or_insert_with(|| Given::Row(row.clone()));
            // Rows that agree in all that is asked of them are one answer.
            if *given != Given::Row(row) {
                *given = Given::Ambiguous;
            }
        }
        let given = |question: &Question| {
            let key: Vec<&str> = question.args.iter().map(|arg| &**arg).collect();
            found.get(&key).cloned().unwrap_or(Given::Missing)
        };
        questions.iter().map(given).collect()
    }

    fn passes(&self, cells: &[Cell]) -> bool {
        let named = self.lookup.matches.len() + self.lookup.get.len();
        match (&self.condition, cells.get(named..)) {
            (None, _) => self.lookup.filter.is_none(),
            (Some(condition), Some(cells)) => condition.holds(cells) == Some(true),
            (Some(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::lookup::Lack;

    fn column(name: &str, ty: &str) -> Column {
        Column {
            name: name.into(),
            ty: SqlType::parse(ty),
            not_null: false,
            bytewise: true,
        }
    }

    fn asked(filter: Option<&str>) -> Asked {
        let lookup = Lookup {
            name: "variant".into(),
            on: End::Target,
            schema: "public".into(),
            table: "variant".into(),
            matches: vec![column("sku", "text")],
            get: vec![column("id", "integer")],
            filter: filter.map(str::to_owned),
            filter_columns: filter.map(|_| column("gone", "text")).into_iter().collect(),
            missing: Lack::Hold,
            ambiguous: Lack::Hold,
            allocated: false,
        };
        Asked::of(&Arc::new(lookup), Duration::ZERO)
    }

    fn given(asked: &Asked, args: &[&str], rows: &[&[Option<&str>]]) -> Vec<Given> {
        let question = |arg: &&str| Question {
            lookup: 0,
            args: [Box::from(*arg)].into(),
        };
        let questions: Vec<Question> = args.iter().map(question).collect();
        let cell = |text: &Option<&str>| text.map_or(Cell::Null, |t| Cell::Text(t.into()));
        let rows = rows.iter().map(|row| row.iter().map(cell).collect());
        asked.given(&questions, rows.collect())
    }

    fn id(text: &str) -> Given {
        Given::Row([Cell::Text(text.into())].into())
    }

    #[test]
    fn rows_answer_the_arguments_that_they_match() {
        let rows: &[&[Option<&str>]] = &[
            &[Some("b"), Some("2")],
            &[Some("a"), Some("1")],
            &[Some("B"), Some("3")],
            &[None, Some("4")],
        ];
        let answers = given(&asked(None), &["a", "b", "c"], rows);
        assert_eq!(answers, [id("1"), id("2"), Given::Missing]);
    }

    #[test]
    fn several_rows_are_one_answer_only_where_they_agree() {
        let rows: &[&[Option<&str>]] = &[
            &[Some("a"), Some("1")],
            &[Some("a"), Some("2")],
            &[Some("a"), Some("1")],
            &[Some("b"), Some("1")],
            &[Some("b"), Some("1")],
        ];
        let answers = given(&asked(None), &["a", "b"], rows);
        assert_eq!(answers, [Given::Ambiguous, id("1")]);
    }

    #[test]
    fn rows_that_where_does_not_let_pass_are_none() {
        let rows: &[&[Option<&str>]] = &[
            &[Some("a"), Some("1"), Some("yes")],
            &[Some("a"), Some("2"), None],
            &[Some("b"), Some("3"), Some("yes")],
        ];
        let answers = given(&asked(Some("gone is null")), &["a", "b"], rows);
        assert_eq!(answers, [id("2"), Given::Missing]);
    }
}
