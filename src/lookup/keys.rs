//! Keys that the target allocates: found in the map of the control tables, or taken for it.

use std::collections::HashMap;

use super::error::LookupError;
use crate::cart::answers::{Given, Question};
use crate::cart::image::Cell;
use crate::config::Config;
use crate::mapping::lookup::Lookup;
use crate::mapping::plan::Mapping;
use crate::switch::{self, Place};
use crate::target::control::key_map;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// What becomes of a key that is not allocated yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unallocated {
    /// It is allocated.
    Allocate,
    /// It is missing.
    Leave,
    /// A text that says so stands for it.
    Show,
}

/// Attempts to find a value that no other key has: a sequence that was set back gives some twice.
const ATTEMPTS: usize = 10;

#[derive(Debug)]
pub(super) struct Keys {
    /// None where the control tables are not there yet.
    target: Option<Target>,
    pipeline: String,
    unallocated: Unallocated,
    /// By the index of the lookup.
    sequences: HashMap<usize, i64>,
}

impl Keys {
    /// None where the mapping has no allocated keys.
    pub async fn connect(
        config: &Config,
        mapping: &Mapping,
        unallocated: Unallocated,
    ) -> Result<Option<Self>, LookupError> {
        if !mapping.lookups.iter().any(|lookup| lookup.allocated) {
            return Ok(None);
        }
        let session = match unallocated {
            Unallocated::Allocate => Target::watched(&config.target, "keys").await,
            Unallocated::Leave | Unallocated::Show => Target::connect(&config.target, "keys").await,
        };
        let target = session.map_err(LookupError::Keys)?;
        let mut sequences = HashMap::new();
        let mut there = true;
        let lookups = mapping.lookups.iter().enumerate();
        for (index, lookup) in lookups.filter(|(_, lookup)| lookup.allocated) {
            if unallocated != Unallocated::Allocate {
                let installed = key_map::installed(&target).await;
                there = installed.map_err(|why| failed(lookup, why))?;
                break;
            }
            let column = lookup.get.first().map_or("", |column| &column.name);
            let names = (&*lookup.schema, &*lookup.table, column);
            let found = key_map::sequence(&target, names).await;
            let found = found.map_err(|why| failed(lookup, why))?;
            let none = || LookupError::NoSequence(lookup.full_name());
            sequences.insert(index, found.ok_or_else(none)?);
        }
        Ok(Some(Self {
            target: there.then_some(target),
            pipeline: config.name.clone(),
            unallocated,
            sequences,
        }))
    }

    /// An answer for each question.
    pub async fn ask(
        &self,
        lookup: &Lookup,
        questions: &[Question],
    ) -> Result<Vec<Given>, LookupError> {
        let texts: Vec<String> = questions.iter().map(args).collect();
        let found = self.find(lookup, questions, &texts).await;
        let found = found.map_err(|why| failed(lookup, why))?;
        let given = |(question, text): (&Question, &String)| match found.get(text) {
            Some(key) => row(&key.to_string()),
            None if self.unallocated == Unallocated::Show => row(&format!(
                "(not allocated yet: {} {})",
                lookup.name,
                question.args.join("|")
            )),
            None => Given::Missing,
        };
        Ok(questions.iter().zip(&texts).map(given).collect())
    }

    async fn find(
        &self,
        lookup: &Lookup,
        questions: &[Question],
        texts: &[String],
    ) -> Result<HashMap<String, i64>, TargetError> {
        let Some(target) = &self.target else {
            return Ok(HashMap::new());
        };
        let (pipeline, table) = (&self.pipeline, lookup.full_name());
        let all = json(texts);
        let known = key_map::known(target, pipeline, &table, &all).await?;
        let mut found: HashMap<String, i64> = known.into_iter().collect();
        let first = questions.first();
        let sequence = first.and_then(|q| self.sequences.get(&q.lookup));
        let Some(sequence) = sequence else {
            return Ok(found);
        };
        for _ in 0..ATTEMPTS {
            let open = texts.iter().filter(|text| !found.contains_key(*text));
            let open: Vec<&String> = open.collect();
            if open.is_empty() {
                break;
            }
            let open = json(&open);
            key_map::allocate(target, pipeline, &table, &open, *sequence).await?;
            switch::place(Place::KeysAllocated);
            // What counts is what is there: another lane may have been first.
            found.extend(key_map::known(target, pipeline, &table, &open).await?);
        }
        Ok(found)
    }
}

/// The arguments as the map keeps them.
fn args(question: &Question) -> String {
    let texts: Vec<&str> = question.args.iter().map(|arg| &**arg).collect();
    json(&texts)
}

fn json<T: serde::Serialize>(texts: &[T]) -> String {
    // Texts in a list are always JSON.
    serde_json::to_string(texts).unwrap_or_default()
}

fn row(text: &str) -> Given {
    Given::Row([Cell::Text(text.into())].into())
}

fn failed(lookup: &Lookup, why: TargetError) -> LookupError {
    let table = lookup.full_name();
    LookupError::Allocate { table, why }
}
