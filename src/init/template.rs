//! Words in braces, replaced by what the old shop says for them.

use super::platform::{AsSource, Scope};

/// An expression, and why it is only a guess if it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    pub text: String,
    pub doubt: Option<String>,
}

/// How deep sayings may be made of other sayings.
const DEPTH: usize = 8;

/// What the rows of one scope can say: their own words, and those of the cart's header.
#[derive(Clone, Copy)]
pub struct Sayings<'s> {
    pub side: &'s AsSource,
    pub scope: &'s Scope,
}

impl Sayings<'_> {
    /// None where a word is not known.
    pub fn fill(&self, template: &str) -> Option<Filled> {
        self.fill_in(template, DEPTH)
    }

    pub fn says(&self, word: &str) -> Option<Filled> {
        self.word(word, DEPTH)
    }

    fn word(&self, word: &str, depth: usize) -> Option<Filled> {
        let depth = depth.checked_sub(1)?;
        if word == "h" {
            return Some(Filled {
                text: self.scope.header.clone(),
                doubt: None,
            });
        }
        // `scope.word`: what a scope over the same rows says.
        if let Some((scope, word)) = word.split_once('.') {
            let scope = self.side.scope.get(scope)?;
            let there = Sayings {
                side: self.side,
                scope,
            };
            return (scope.per == self.scope.per).then(|| there.word(word, depth))?;
        }
        let cart = self.side.scope.get("cart");
        let saying = self.scope.says.get(word).or_else(|| cart?.says.get(word))?;
        let mut filled = self.fill_in(saying.text(), depth)?;
        if let Some(doubt) = saying.doubt() {
            filled.doubt.get_or_insert_with(|| doubt.to_owned());
        }
        Some(filled)
    }

    fn fill_in(&self, template: &str, depth: usize) -> Option<Filled> {
        let (mut text, mut doubt) = (String::new(), None);
        let mut rest = template;
        while let Some((before, after)) = split_word(rest) {
            let (word, after) = after;
            text.push_str(before);
            let filled = self.word(word, depth)?;
            if doubt.is_none() {
                doubt = filled.doubt;
            }
            put(&mut text, &filled.text, after);
            rest = after;
        }
        text.push_str(rest);
        Some(Filled { text, doubt })
    }
}

/// The text before the first word in braces, the word, and the text behind it. Braces of JSON hold
/// no word.
fn split_word(text: &str) -> Option<(&str, (&str, &str))> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('{')?;
        let inside = text.get(open + 1..)?;
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
        let end = inside.find(|c| !is_word(c)).unwrap_or(inside.len());
        if end > 0 && inside[end..].starts_with('}') {
            return Some((&text[..open], (&inside[..end], &inside[end + 1..])));
        }
        from = open + 1;
    }
}

/// Adds a value so that what stands around it does not take it apart.
fn put(text: &mut String, value: &str, after: &str) {
    let before = text.trim_end();
    if before.ends_with("coalesce(")
        && let Some(inner) = value
            .strip_prefix("coalesce(")
            .and_then(|v| v.strip_suffix(')'))
        && balanced(inner)
    {
        text.push_str(inner);
        return;
    }
    let after = after.trim_start();
    let apart = |c: Option<char>| c.is_none_or(|c| "(,)".contains(c));
    let alone = apart(before.chars().last()) && apart(after.chars().next());
    if alone || !compound(value) {
        text.push_str(value);
    } else {
        text.push('(');
        text.push_str(value);
        text.push(')');
    }
}

/// It never closes a parenthesis that it has not opened.
fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// It has an operator outside of all parentheses and quotes, or a comma.
fn compound(text: &str) -> bool {
    if text.starts_with("case ") && text.ends_with(" end") {
        return false;
    }
    let mut depth = 0i32;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' | '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ' ' if !quoted && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::platform::Saying;

    fn side() -> AsSource {
        let says = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(word, text)| ((*word).to_owned(), Saying::Text((*text).to_owned())))
                .collect()
        };
        let cart = Scope {
            per: "quote".into(),
            says: says(&[("cart", "{h}entity_id"), ("money", "coalesce({h}a, {h}b)")]),
            ..Scope::default()
        };
        let line = Scope {
            per: "item".into(),
            header: "header.".into(),
            says: says(&[("price", "a + b"), ("cart", "quote_id")]),
            ..Scope::default()
        };
        AsSource {
            table: "quote".into(),
            key: Vec::new(),
            live: None,
            live_why: None,
            changed_at: None,
            time_zone: None,
            rows: Vec::new(),
            scope: [("cart".to_owned(), cart), ("line".to_owned(), line)].into(),
            lookup: [].into(),
        }
    }

    #[test]
    fn words_are_said_from_where_the_row_stands() {
        let side = side();
        let at = |scope: &str| Sayings {
            side: &side,
            scope: &side.scope[scope],
        };
        let text = |scope: &str, template: &str| at(scope).fill(template).map(|f| f.text);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(text("cart", "'c' || {cart}"), some("'c' || entity_id"));
        assert_eq!(text("line", "'c' || {cart}"), some("'c' || quote_id"));
        assert_eq!(
            text("line", "lower(coalesce({money}, 'x'))"),
            some("lower(coalesce(header.a, header.b, 'x'))")
        );
        assert_eq!(text("line", "{price} * 2"), some("(a + b) * 2"));
        assert_eq!(text("line", "abs({price})"), some("abs(a + b)"));
        assert_eq!(text("line", "{nothing}"), None);
        assert_eq!(text("line", "'{}'"), some("'{}'"));
        assert_eq!(
            text("line", "'{\"a\": {cart}}'"),
            some("'{\"a\": quote_id}'")
        );
    }
}
