//! What an expression means, as far as two can be told to mean the same: the columns that it reads,
//! through which lookups and maps, and what is done with them. Left aside are the names of lookups and
//! maps, what only dresses a value up (its case, its type, what stands for null), and literals beside
//! columns.

use std::collections::{BTreeMap, BTreeSet};

/// A lookup's table and what it gets, or none for a map, by name.
pub type Names = BTreeMap<String, Option<(String, Vec<String>)>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    named: BTreeSet<String>,
    done: BTreeSet<String>,
    /// The text of one that names nothing.
    constant: Option<String>,
}

/// They change how a value looks, not what it says.
const DRESS: [&str; 14] = [
    "coalesce",
    "nullif",
    "cast",
    "lower",
    "upper",
    "trim",
    "rtrim",
    "concat",
    "concat_ws",
    "keyed_id",
    "ceil",
    "round",
    "left",
    "substring",
];

impl Meaning {
    pub fn is_constant(&self) -> bool {
        self.constant.is_some()
    }
}

const WORDS: [&str; 40] = [
    "case",
    "when",
    "then",
    "else",
    "end",
    "and",
    "or",
    "not",
    "is",
    "null",
    "in",
    "like",
    "between",
    "as",
    "integer",
    "bigint",
    "text",
    "numeric",
    "order",
    "by",
    "filter",
    "where",
    "true",
    "false",
    "exists",
    "timestamp",
    "interval",
    "header",
    "distinct",
    "from",
    "asc",
    "desc",
    "int",
    "boolean",
    "date",
    "at",
    "time",
    "zone",
    "jsonb",
    "json",
];

pub fn of(expression: &str, names: &Names) -> Meaning {
    let tokens = tokens(expression);
    let (mut named, mut done) = (BTreeSet::new(), BTreeSet::new());
    for (i, token) in tokens.iter().enumerate() {
        let Token::Name(name, quoted) = token else {
            continue;
        };
        let next = tokens.get(i + 1);
        if next == Some(&Token::Sign('(')) && !quoted {
            match names.get(name) {
                Some(Some((table, get))) => {
                    named.insert(format!("lookup {table}"));
                    if let [one] = get.as_slice() {
                        named.insert(one.to_lowercase());
                    }
                    continue;
                }
                Some(None) => {
                    named.insert("map".into());
                    continue;
                }
                None => {}
            }
            if !WORDS.contains(&name.as_str()) && !DRESS.contains(&name.as_str()) {
                done.insert(name.clone());
            }
        } else if next != Some(&Token::Sign('.')) && (*quoted || !WORDS.contains(&name.as_str())) {
            named.insert(name.to_lowercase());
        }
    }
    for sign in ['*', '/'] {
        if tokens.contains(&Token::Sign(sign)) {
            done.insert(sign.to_string());
        }
    }
    let constant = (named.is_empty() && done.is_empty()).then(|| {
        let text: String = expression.split_whitespace().collect();
        text.trim_start_matches("(")
            .trim_end_matches(")")
            .to_owned()
    });
    Meaning {
        named,
        done,
        constant,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String, bool),
    Literal,
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                for c in chars.by_ref() {
                    if c == '\'' {
                        break;
                    }
                }
                tokens.push(Token::Literal);
            }
            '"' => tokens.push(Token::Name(
                chars.by_ref().take_while(|c| *c != '"').collect(),
                true,
            )),
            c if c.is_alphabetic() || c == '_' => {
                let mut name = c.to_string();
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                // Unquoted names of tables and columns match without case.
                tokens.push(Token::Name(name.to_lowercase(), false));
            }
            c if c.is_ascii_digit() => {
                while chars.next_if(|c| c.is_ascii_digit() || *c == '.').is_some() {}
                tokens.push(Token::Literal);
            }
            c if c.is_whitespace() => {}
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

#[test]
fn what_means_the_same_is_told_from_what_does_not() {
    let lookup = |table: &str| Some((table.to_owned(), vec!["id".to_owned()]));
    let one: Names = [("variant".to_owned(), lookup("product_variant"))].into();
    let two: Names = [("by_sku".to_owned(), lookup("product_variant"))].into();
    let other: Names = [("variant".to_owned(), lookup("product"))].into();
    let same = |a: &str, b: &str| of(a, &one) == of(b, &two);
    assert!(same("variant(sku).id", "by_sku(nullif(sku, ''))"));
    assert!(same("lower(email)", "coalesce(email, '')"));
    assert!(same("'cart_' || keyed_id(id)", "'c' || keyed_id(id)"));
    assert!(!same("variant(sku).id", "by_sku(code)"));
    assert!(!same("price", "price * quantity"));
    assert!(!same("sum(quantity)", "quantity"));
    assert!(!same("'eur'", "'usd'"));
    assert!(!same("min(a)", "max(a)"));
    assert_ne!(of("variant(sku)", &one), of("variant(sku)", &other));
}
