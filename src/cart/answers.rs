//! What was asked for a cart beyond its rows, and the answers, frozen: `map` of the image gives
//! tomorrow what it gives today.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::image::{Cells, footprint};

/// A call of a lookup with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Index of the lookup in the mapping.
    pub lookup: usize,
    /// A text for each column that it matches, in the form in which equal values are equal texts.
    pub args: Arc<[Box<str>]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A cell for each column that the lookup gets.
    Row(Cells),
    /// No row matches.
    Missing,
    /// More than one does.
    Ambiguous,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub question: Question,
    pub given: Given,
}

/// The answers of an image, sorted by their questions.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    known: Vec<Answer>,
    /// Where it is to be found out what a mapping asks: all that it has asked.
    asked: Option<Arc<Mutex<BTreeSet<Question>>>>,
}

impl PartialEq for Answers {
    fn eq(&self, other: &Self) -> bool {
        self.known == other.known
    }
}

impl Eq for Answers {}

impl FromIterator<Answer> for Answers {
    fn from_iter<I: IntoIterator<Item = Answer>>(answers: I) -> Self {
        let mut known: Vec<Answer> = answers.into_iter().collect();
        known.sort_by(|a, b| a.question.cmp(&b.question));
        known.dedup_by(|a, b| a.question == b.question);
        Self { known, asked: None }
    }
}

impl Answers {
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Answer> {
        self.known.iter()
    }

    /// The answer, if there is one.
    pub fn find(&self, question: &Question) -> Option<&Given> {
        if let Some(asked) = &self.asked {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            if !asked.contains(question) {
                asked.insert(question.clone());
            }
        }
        let at = self.place(question).ok()?;
        Some(&self.known[at].given)
    }

    /// Whether what is asked is noted: then a question without an answer is no error.
    pub fn is_probe(&self) -> bool {
        self.asked.is_some()
    }

    /// The same answers, which note what is asked of them.
    pub(crate) fn probe(&self) -> Self {
        Self {
            known: self.known.clone(),
            asked: Some(Arc::default()),
        }
    }

    /// What was asked of a probe.
    pub(crate) fn asked(&self) -> BTreeSet<Question> {
        let asked = self.asked.as_ref();
        asked.map_or_else(BTreeSet::new, |asked| {
            asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    pub fn put(&mut self, answer: Answer) {
        match self.place(&answer.question) {
            Ok(at) => self.known[at] = answer,
            Err(at) => self.known.insert(at, answer),
        }
    }

    /// Takes over what was found elsewhere, as far as there is no answer to it here.
    pub fn learn<'a>(&mut self, others: impl Iterator<Item = &'a Answer>) {
        let found = |answer: &&Answer| matches!(answer.given, Given::Row(_));
        let new = |answer: &&Answer| self.place(&answer.question).is_err();
        let new: Vec<Answer> = others.filter(found).filter(new).cloned().collect();
        if !new.is_empty() {
            self.known.extend(new);
            self.known.sort_by(|a, b| a.question.cmp(&b.question));
            self.known.dedup_by(|a, b| a.question == b.question);
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&Answer) -> bool) {
        self.known.retain(keep);
    }

    /// Something was not found, or not for sure.
    pub fn lacks(&self) -> bool {
        self.known.iter().any(|a| !matches!(a.given, Given::Row(_)))
    }

    pub fn footprint(&self) -> usize {
        let each = |answer: &Answer| {
            let args = answer.question.args.iter().map(|arg| arg.len() + 32);
            let cells = match &answer.given {
                Given::Row(cells) => footprint(cells),
                Given::Missing | Given::Ambiguous => 0,
            };
            size_of::<Answer>() + args.sum::<usize>() + cells
        };
        self.known.iter().map(each).sum()
    }

    fn place(&self, question: &Question) -> Result<usize, usize> {
        self.known.binary_search_by(|a| a.question.cmp(question))
    }
}
