//! Answers that serve other carts for a while. Bounded in number, in bytes and in age.

use std::time::{Duration, Instant};

use lru::LruCache;

use crate::cart::answers::{Given, Question};
use crate::cart::image::footprint;

/// Answers of all lookups together.
const MOST: usize = 100_000;
const BYTES: usize = 32 << 20;
/// What was not found may be there at any moment.
const NEGATIVE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Cache {
    answers: LruCache<Question, (Given, Instant, usize)>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(MOST, BYTES)
    }
}

impl Cache {
    fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            answers: LruCache::unbounded(),
            bytes: 0,
            most,
            most_bytes,
        }
    }

    /// An answer that is not too old; `keep` is how long one that was found may be used.
    pub fn get(&mut self, question: &Question, keep: Duration, now: Instant) -> Option<Given> {
        let (given, since, _) = self.answers.get(question)?;
        let keep = match given {
            Given::Row(_) => keep,
            Given::Missing | Given::Ambiguous => keep.min(NEGATIVE),
        };
        (now.saturating_duration_since(*since) < keep).then(|| given.clone())
    }

    pub fn put(&mut self, question: Question, given: Given, now: Instant) {
        let bytes = bytes(&question, &given);
        self.bytes += bytes;
        if let Some((_, _, before)) = self.answers.put(question, (given, now, bytes)) {
            self.bytes -= before;
        }
        while (self.answers.len() > self.most || self.bytes > self.most_bytes)
            && let Some((_, (_, _, forgotten))) = self.answers.pop_lru()
        {
            self.bytes -= forgotten;
        }
    }
}

fn bytes(question: &Question, given: &Given) -> usize {
    let args = question.args.iter().map(|arg| arg.len() + 32);
    let cells = match given {
        Given::Row(cells) => footprint(cells),
        Given::Missing | Given::Ambiguous => 0,
    };
    128 + args.sum::<usize>() + cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::image::Cell;

    const MINUTE: Duration = Duration::from_secs(60);

    fn question(arg: &str) -> Question {
        Question {
            lookup: 0,
            args: [arg.into()].into(),
        }
    }

    fn row(text: &str) -> Given {
        Given::Row([Cell::Text(text.into())].into())
    }

    #[test]
    fn the_least_used_answers_are_forgotten() {
        let mut cache = Cache::new(2, 1 << 20);
        let now = Instant::now();
        for arg in ["a", "b"] {
            cache.put(question(arg), row(arg), now);
        }
        assert_eq!(cache.get(&question("a"), MINUTE, now), Some(row("a")));
        cache.put(question("c"), row("c"), now);
        assert_eq!(cache.get(&question("b"), MINUTE, now), None);
        assert_eq!(cache.get(&question("a"), MINUTE, now), Some(row("a")));
        assert_eq!(cache.answers.len(), 2);
    }

    #[test]
    fn large_answers_are_bounded_in_bytes() {
        let mut cache = Cache::new(1_000, 10_000);
        let now = Instant::now();
        for n in 0..100 {
            cache.put(question(&n.to_string()), row(&"x".repeat(1_000)), now);
        }
        assert!(cache.bytes <= 10_000 && cache.answers.len() < 10);
        cache.put(question("99"), row("y"), now);
        let each = cache.answers.iter().map(|(_, (_, _, bytes))| *bytes);
        assert_eq!(cache.bytes, each.sum::<usize>());
    }

    #[test]
    fn what_was_not_found_is_asked_again_sooner() {
        let mut cache = Cache::default();
        let begun = Instant::now();
        let after = |ms| begun + Duration::from_millis(ms);
        cache.put(question("found"), row("1"), begun);
        cache.put(question("lost"), Given::Missing, begun);
        assert_eq!(
            cache.get(&question("lost"), MINUTE, after(900)),
            Some(Given::Missing)
        );
        assert_eq!(cache.get(&question("lost"), MINUTE, after(1_000)), None);
        assert!(
            cache
                .get(&question("found"), MINUTE, after(59_000))
                .is_some()
        );
        assert_eq!(cache.get(&question("found"), MINUTE, after(60_000)), None);
        assert_eq!(cache.get(&question("found"), Duration::ZERO, begun), None);
    }
}
