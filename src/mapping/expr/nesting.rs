//! How deep the tree of a text can become, told from its tokens.
//!
//! The parser has a limit for what it reads by recursion, and none for chains such as `a || b || c`,
//! which it reads in a loop: their tree is as deep as they are long, and all that walks it recurses.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// What stands between two brackets, or between `case` and `end`.
#[derive(Default)]
struct Level {
    /// `and` and `or` in the part that is read now.
    junctions: usize,
    /// The deepest of what they have joined.
    joined: usize,
    /// Other operators since the last of them, and the deepest level among these.
    operators: usize,
    inner: usize,
    /// The deepest part before this one.
    before: usize,
}

impl Level {
    fn join(&mut self) {
        self.joined = self.joined.max(self.operators + self.inner);
        (self.operators, self.inner) = (0, 0);
    }

    /// The part ends.
    fn part(&mut self) {
        self.join();
        self.before = self.before.max(self.junctions + self.joined);
        (self.junctions, self.joined) = (0, 0);
    }
}

/// The tree of these tokens is not deeper than this.
pub fn depth(tokens: &[TokenWithSpan]) -> usize {
    let mut levels = vec![Level::default()];
    for token in tokens {
        let closes = match &token.token {
            Token::RParen | Token::RBracket => true,
            Token::Word(word) => word.keyword == Keyword::END,
            _ => false,
        };
        if closes && levels.len() > 1 {
            close(&mut levels);
            continue;
        }
        let Some(level) = levels.last_mut() else {
            continue;
        };
        match &token.token {
            Token::Whitespace(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Period
            | Token::EOF => {}
            Token::LParen => levels.push(Level::default()),
            Token::LBracket => {
                level.operators += 1;
                levels.push(Level::default());
            }
            Token::Comma => level.part(),
            Token::Word(word) => match word.keyword {
                Keyword::NoKeyword => {}
                Keyword::CASE => levels.push(Level::default()),
                Keyword::WHEN | Keyword::THEN | Keyword::ELSE => level.part(),
                Keyword::AND | Keyword::OR => {
                    level.join();
                    level.junctions += 1;
                }
                // It may be a name; more than there is does no harm.
                _ => level.operators += 1,
            },
            _ => level.operators += 1,
        }
    }
    while levels.len() > 1 {
        close(&mut levels);
    }
    let Some(mut whole) = levels.pop() else {
        return 0;
    };
    whole.part();
    whole.before
}

fn close(levels: &mut Vec<Level>) {
    let Some(mut inner) = levels.pop() else {
        return;
    };
    inner.part();
    if let Some(level) = levels.last_mut() {
        level.inner = level.inner.max(inner.before + 1);
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::tokenizer::Tokenizer;

    #[test]
    fn chains_and_nesting_count_and_lists_do_not() {
        let depth = |text: &str| {
            let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location();
            super::depth(&tokens.unwrap())
        };
        assert_eq!(depth("a"), 0);
        assert_eq!(depth("a || b || c"), 2);
        assert_eq!(depth("a = 1 or b = 2 or c = 3 and d = 4"), 4);
        assert_eq!(depth("f(a + 1, b + 2, c + 3)"), 2);
        assert_eq!(depth("x in (1, 2, 3, 4, 5, 6, 7, 8)"), 2);
        assert_eq!(depth("case when a = 1 then b || c || d else e end || f"), 4);
        assert_eq!(depth(&format!("{}x{}", "(".repeat(9), ")".repeat(9))), 9);
        assert_eq!(depth("a::text::text::text"), 6);
        // Unbalanced ones are the parser's to refuse.
        assert_eq!(depth(") end ] a"), 3);
    }
}
