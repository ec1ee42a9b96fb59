//! A statement's words and signs, without its comments.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Not quoted: a keyword or a name.
    Word(String),
    /// In backticks or double quotes. The latter hold a string unless ANSI_QUOTES is on; where a
    /// name must stand, they hold a name.
    Name(String),
    /// In single quotes, or `X'…'`; never a name.
    Text(String),
    Sign(char),
}

impl Token {
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// What it names, where it stands for a name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// What stands in `/*! … */` is executed, so it counts.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' => line(&mut chars),
            '-' if chars.peek() == Some(&'-') => {
                let mut ahead = chars.clone();
                ahead.next();
                match ahead.peek() {
                    Some(c) if !c.is_whitespace() && !c.is_control() => {
                        tokens.push(Token::Sign('-'));
                    }
                    _ => line(&mut chars),
                }
            }
            '/' if chars.peek() == Some(&'*') => {
                chars.next();
                match executed(&chars) {
                    Some(code) => chars = code,
                    None => comment(&mut chars),
                }
            }
            // The end of what stood in `/*! … */`.
            '*' if chars.peek() == Some(&'/') => {
                chars.next();
            }
            '`' => tokens.push(Token::Name(quoted(&mut chars, '`', false))),
            '"' => tokens.push(Token::Name(quoted(&mut chars, '"', true))),
            '\'' => tokens.push(Token::Text(quoted(&mut chars, '\'', true))),
            'x' | 'X' if chars.peek() == Some(&'\'') => {
                chars.next();
                let hex = quoted(&mut chars, '\'', false);
                tokens.push(Token::Text(unhexed(&hex)));
            }
            c if is_letter(c) => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| is_letter(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            c if c.is_whitespace() || c.is_control() => {}
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn line(chars: &mut Peekable<Chars<'_>>) {
    chars.by_ref().find(|c| *c == '\n');
}

fn comment(chars: &mut Peekable<Chars<'_>>) {
    let mut star = false;
    for c in chars.by_ref() {
        if star && c == '/' {
            return;
        }
        star = c == '*';
    }
}

/// Behind `/*!`, `/*!50100`, `/*M!` and `/*M!100100`: what follows.
fn executed<'a>(chars: &Peekable<Chars<'a>>) -> Option<Peekable<Chars<'a>>> {
    let mut code = chars.clone();
    code.next_if(|c| *c == 'M');
    code.next_if_eq(&'!')?;
    for _ in 0..6 {
        code.next_if(char::is_ascii_digit);
    }
    Some(code)
}

fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char, escapes: bool) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' if escapes => text.extend(chars.next()),
            c if c == quote => match chars.next_if_eq(&quote) {
                Some(c) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    text
}

fn unhexed(hex: &str) -> String {
    let bytes = data_encoding::HEXUPPER_PERMISSIVE.decode(hex.as_bytes());
    bytes.map_or_else(
        |_| hex.to_owned(),
        |bytes| bytes.into_iter().map(char::from).collect(),
    )
}
