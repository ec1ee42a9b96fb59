//! Asking lookups for many carts at once, and freezing the answers in their images.

mod ask;
mod cache;
mod error;
mod keys;

pub use ask::Asker;
pub use error::LookupError;
pub use keys::Unallocated;

use std::collections::BTreeSet;

use crate::cart::answers::{Answer, Answers, Given, Question};
use crate::cart::image::Image;
use crate::mapping::map::Mapper;
use crate::switch::{Mutant, mutant};

/// An image that is about to be mapped.
#[derive(Debug)]
pub struct Open<'a> {
    pub image: &'a mut Image,
    /// What was not found before is asked again, of the server itself.
    pub again: bool,
    /// The answers by which its target rows were made.
    pub frozen: Option<&'a Answers>,
}

impl Asker {
    /// Gives each image an answer to all that the mapping asks for it, and forgets what it no longer
    /// asks. A chain of lookups takes a round for each of its links, whatever the number of carts;
    /// each round answers all that is open, so it comes to an end.
    pub async fn fill(&self, mapper: &Mapper, open: Vec<Open<'_>>) -> Result<(), LookupError> {
        if mapper.mapping.lookups.is_empty() {
            return Ok(());
        }
        let mut open = open;
        if mutant(Mutant::AnswersThaw) {
            for cart in &mut open {
                cart.image.answers = Answers::default();
            }
        }
        for cart in open.iter_mut().filter(|cart| cart.again) {
            let found = |answer: &Answer| {
                matches!(answer.given, Given::Row(_)) || mutant(Mutant::MissingStays)
            };
            cart.image.answers.retain(found);
        }
        while !open.is_empty() {
            let mut waiting = Vec::new();
            let (mut usual, mut again) = (BTreeSet::new(), BTreeSet::new());
            for cart in open {
                let asked = mapper.asks(cart.image);
                let known: BTreeSet<&Question> =
                    cart.image.answers.iter().map(|a| &a.question).collect();
                let unknown: Vec<Question> = asked
                    .iter()
                    .filter(|question| !known.contains(question))
                    .cloned()
                    .collect();
                if unknown.is_empty() {
                    // Behind what is not known, no question comes to light: what its rows were made by
                    // is still theirs.
                    let stuck = cart.image.answers.lacks() && !mapper.is_known(cart.image);
                    let frozen = cart
                        .frozen
                        .filter(|_| stuck && !mutant(Mutant::StuckForgets));
                    let frozen = |q: &Question| frozen.is_some_and(|f| f.find(q).is_some());
                    let keep = |a: &Answer| asked.contains(&a.question) || frozen(&a.question);
                    cart.image.answers.retain(keep);
                    continue;
                }
                match cart.again {
                    true => again.extend(unknown.iter().cloned()),
                    false => usual.extend(unknown.iter().cloned()),
                }
                waiting.push((cart, unknown));
            }
            usual.retain(|question| !again.contains(question));
            let mut answers = self.answers(again, false).await?;
            answers.extend(self.answers(usual, true).await?);
            for (cart, unknown) in &mut waiting {
                for question in unknown.drain(..) {
                    // What is asked has an answer, be it that there is none.
                    let given = answers.get(&question).cloned().unwrap_or(Given::Missing);
                    cart.image.answers.put(Answer { question, given });
                }
            }
            open = waiting.into_iter().map(|(cart, _)| cart).collect();
        }
        Ok(())
    }
}
