//! From text to `sqlparser`'s tree, and from its positions to bytes of the text.

use std::ops::Range;

use sqlparser::ast::Expr;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use super::error::ExprError;
use super::nesting;

/// A longer text is no expression that anybody reads.
const MAX_BYTES: usize = 32 << 10;

/// A deeper tree could exhaust the stack of what walks it.
const MAX_DEPTH: usize = 128;

/// Parses one expression, and nothing after it.
pub fn parse(text: &str) -> Result<Expr, ExprError> {
    let fail = |span: Range<usize>, message: String| ExprError { span, message };
    if text.len() > MAX_BYTES {
        return Err(fail(0..0, "an expression has at most 32 KiB".into()));
    }
    let mut tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|e| fail(point(text, e.location), e.message))?;
    if nesting::depth(&tokens) > MAX_DEPTH {
        return Err(fail(0..text.len(), "nested too deeply".into()));
    }
    call_exists(&mut tokens);
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens);
    let parsed = parser.parse_expr().map_err(|e| match e {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            located(text, &message)
        }
        ParserError::RecursionLimitExceeded => fail(0..text.len(), "nested too deeply".into()),
    })?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        return Err(fail(
            bytes(text, next.span),
            format!("unexpected {} after the expression", next.token),
        ));
    }
    Ok(parsed)
}

/// The names before a dot in a text: the tables that it names, each once, with whether it is quoted.
pub fn named_tables(text: &str) -> Vec<(String, bool)> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize()
        .unwrap_or_default();
    let mut found: Vec<(String, bool)> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let dotted = matches!(tokens.get(i + 1), Some(Token::Period));
        let inner = i > 0 && matches!(tokens[i - 1], Token::Period);
        let name = (word.value.clone(), word.quote_style.is_some());
        if dotted && !inner && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// `exists (…)` is an aggregate here, not a subquery: its name must not be the keyword.
fn call_exists(tokens: &mut [TokenWithSpan]) {
    for token in tokens {
        if let Token::Word(word) = &mut token.token
            && word.keyword == Keyword::EXISTS
        {
            word.keyword = Keyword::NoKeyword;
        }
    }
}

/// The parser writes the position at the end of its message.
fn located(text: &str, message: &str) -> ExprError {
    let whole = || ExprError {
        span: 0..text.len(),
        message: message.to_owned(),
    };
    let Some((said, position)) = message.rsplit_once(" at Line: ") else {
        return whole();
    };
    let Some((line, column)) = position.split_once(", Column: ") else {
        return whole();
    };
    match (line.parse(), column.parse()) {
        (Ok(line), Ok(column)) => ExprError {
            span: point(text, Location { line, column }),
            message: said.to_owned(),
        },
        _ => whole(),
    }
}

/// The bytes of a span; of an empty one, the whole text.
pub fn bytes(text: &str, span: Span) -> Range<usize> {
    if span.start.line == 0 || span.end.line == 0 {
        return 0..text.len();
    }
    let start = offset(text, span.start);
    start..offset(text, span.end).max(start)
}

fn point(text: &str, at: Location) -> Range<usize> {
    let start = offset(text, at);
    let width = text
        .get(start..)
        .and_then(|t| t.chars().next())
        .map_or(0, char::len_utf8);
    start..start + width
}

fn offset(text: &str, at: Location) -> usize {
    let mut start = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if i as u64 + 1 == at.line {
            let column = usize::try_from(at.column).unwrap_or(1).saturating_sub(1);
            let within = line
                .char_indices()
                .nth(column)
                .map_or(line.len(), |(i, _)| i);
            return start + within;
        }
        start += line.len();
    }
    text.len()
}
