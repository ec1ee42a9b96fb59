//! `php_unserialize`: what PHP's `serialize` wrote, as JSON.
//!
//! The format is that of `ext/standard/var_unserializer.re`. Each value but a reference by `R` has a
//! number, from 1 on, in the order in which they begin; `r` and `R` name an earlier one. A key has none.

use super::{Args, Function, Takes, function};
use crate::hash::HashMap;
use crate::mapping::expr::error::EvalError;
use crate::mapping::expr::json;
use crate::sqltype::Class;

/// Deeper values are refused, so that no input can exhaust the stack; the JSON that comes of others
/// can be read again.
const MAX_DEPTH: usize = 200;

/// References can make a long document of a short text.
const MAX_BYTES: usize = 16 << 20;

pub(super) const ALL: &[Function] = &[
    Function {
        sql: false,
        ..function(
            "php_unserialize",
            &[Takes::Is(Class::Text)],
            Class::Json,
            |a| json_of(a, a.text(0).as_bytes()),
        )
    },
    Function {
        sql: false,
        ..function(
            "php_unserialize",
            &[Takes::Is(Class::Bytea)],
            Class::Json,
            |a| json_of(a, &a.bytes(0)?),
        )
    },
];

fn json_of(a: &Args<'_>, bytes: &[u8]) -> Result<Option<String>, EvalError> {
    match unserialize(bytes) {
        Ok(json) => Ok(Some(json)),
        Err(Broken { at, what }) => Err(a.error(&format!("{what} at byte {at}"))),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Broken {
    at: usize,
    what: &'static str,
}

/// The JSON of one serialized value, with nothing after it.
fn unserialize(bytes: &[u8]) -> Result<String, Broken> {
    let mut reader = Reader {
        bytes,
        at: 0,
        nodes: Vec::new(),
        numbered: Vec::new(),
    };
    if bytes.len() > MAX_BYTES {
        return Err(reader.broken("a value that is too long begins"));
    }
    let root = reader.value(0)?;
    if reader.at < bytes.len() {
        return Err(reader.broken("something follows the value"));
    }
    let mut out = String::new();
    match print(&reader.nodes, root, 0, &mut out) {
        Some(()) => Ok(out),
        None => Err(reader.broken("a value that its references make too long or too deep ends")),
    }
}

#[derive(Debug)]
enum Node {
    /// It has begun and not ended yet.
    Open,
    Plain(String),
    /// Each key as JSON's text, and the place of its value.
    Members(Vec<(String, usize)>),
    Items(Vec<usize>),
}

/// A key of an array, as PHP tells them apart.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Number(i64),
    Name(String),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    /// By their numbers less one: places of `nodes`.
    numbered: Vec<usize>,
}

type Read<T> = Result<T, Broken>;

impl Reader<'_> {
    fn broken(&self, what: &'static str) -> Broken {
        Broken { at: self.at, what }
    }

    fn take(&mut self, byte: u8) -> Read<()> {
        match self.bytes.get(self.at) {
            Some(found) if *found == byte => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.broken("not what PHP's serialize writes")),
        }
    }

    /// The text up to a byte, which is taken too.
    fn until(&mut self, end: u8) -> Read<&str> {
        let rest = &self.bytes[self.at..];
        let found = rest.iter().take(64).position(|b| *b == end);
        let text = found.and_then(|n| std::str::from_utf8(&rest[..n]).ok());
        let Some(text) = text else {
            return Err(self.broken("not what PHP's serialize writes"));
        };
        self.at += text.len() + 1;
        Ok(text)
    }

    fn integer(&mut self, end: u8) -> Read<i64> {
        let at = self.at;
        let digits = |text: &str| text.parse().ok();
        match self.until(end).map(digits)? {
            Some(number) => Ok(number),
            None => Err(Broken {
                at,
                what: "no integer",
            }),
        }
    }

    fn count(&mut self) -> Read<usize> {
        let at = self.at;
        let wrong = Broken {
            at,
            what: "no length",
        };
        usize::try_from(self.integer(b':')?).map_err(|_| wrong)
    }

    /// `LENGTH:"…"`, of which the length counts bytes.
    fn string(&mut self) -> Read<String> {
        let length = self.count()?;
        self.take(b'"')?;
        let rest = &self.bytes[self.at..];
        let Some(bytes) = rest.get(..length) else {
            return Err(self.broken("a string that is cut off"));
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(self.broken("a string that is not UTF-8"));
        };
        let text = text.to_owned();
        self.at += length;
        self.take(b'"')?;
        Ok(text)
    }

    /// The place of the value that begins here.
    fn value(&mut self, depth: usize) -> Read<usize> {
        if depth > MAX_DEPTH {
            return Err(self.broken("a value that is nested too deeply"));
        }
        let Some(&kind) = self.bytes.get(self.at) else {
            return Err(self.broken("a value that is cut off"));
        };
        if matches!(kind, b'r' | b'R') {
            return self.reference(kind);
        }
        let place = self.nodes.len();
        self.nodes.push(Node::Open);
        self.numbered.push(place);
        let node = match kind {
            b'N' => {
                self.at += 1;
                self.take(b';')?;
                Node::Plain("null".into())
            }
            b'b' | b'i' | b'd' => {
                self.at += 1;
                self.take(b':')?;
                Node::Plain(self.scalar(kind)?)
            }
            b's' => {
                self.at += 1;
                self.take(b':')?;
                let mut quoted = String::new();
                json::quote(&self.string()?, &mut quoted);
                self.take(b';')?;
                Node::Plain(quoted)
            }
            b'a' => {
                self.at += 1;
                self.take(b':')?;
                self.array(depth)?
            }
            b'O' => {
                self.at += 1;
                self.take(b':')?;
                self.string()?; // the name of its class
                self.take(b':')?;
                let members = self.members(depth, true)?;
                Node::Members(members.into_iter().map(named).collect())
            }
            b'C' => return Err(self.broken("an object of a class that serializes itself")),
            b'E' => return Err(self.broken("a case of an enum")),
            b'S' => return Err(self.broken("a string of PHP 6")),
            _ => return Err(self.broken("not what PHP's serialize writes")),
        };
        self.nodes[place] = node;
        Ok(place)
    }

    fn scalar(&mut self, kind: u8) -> Read<String> {
        let at = self.at;
        if kind == b'i' {
            return Ok(self.integer(b';')?.to_string());
        }
        let text = self.until(b';')?;
        let what = match (kind, text) {
            (b'b', "0") => return Ok("false".into()),
            (b'b', "1") => return Ok("true".into()),
            (b'd', "INF" | "-INF" | "NAN") => "a number that JSON does not have",
            (b'd', text) if is_number(text) => return Ok(text.to_owned()),
            (b'd', _) => "no number",
            _ => "no boolean",
        };
        Err(Broken { at, what })
    }

    /// Keys that are 0, 1, 2 and so on, in this order, are those of a list.
    fn array(&mut self, depth: usize) -> Read<Node> {
        let members = self.members(depth, false)?;
        let mut number = 0;
        let mut counts = |(key, _): &(Key, usize)| {
            number += 1;
            *key == Key::Number(number - 1)
        };
        Ok(match members.iter().all(&mut counts) {
            true => Node::Items(members.into_iter().map(|(_, place)| place).collect()),
            false => Node::Members(members.into_iter().map(named).collect()),
        })
    }

    /// `COUNT:{…}`: of equal keys the last one counts, in the place of the first.
    fn members(&mut self, depth: usize, of_object: bool) -> Read<Vec<(Key, usize)>> {
        let count = self.count()?;
        self.take(b'{')?;
        let mut members: Vec<(Key, usize)> = Vec::new();
        let mut places: HashMap<Key, usize> = HashMap::default();
        for _ in 0..count {
            let key = self.key(of_object)?;
            let value = self.value(depth + 1)?;
            match places.get(&key) {
                Some(&at) => members[at].1 = value,
                None => {
                    places.insert(key.clone(), members.len());
                    members.push((key, value));
                }
            }
        }
        self.take(b'}')?;
        Ok(members)
    }

    fn key(&mut self, of_object: bool) -> Read<Key> {
        let kind = self.bytes.get(self.at).copied();
        self.at += 1;
        match kind {
            Some(b'i') => {
                self.take(b':')?;
                Ok(Key::Number(self.integer(b';')?))
            }
            Some(b's') => {
                self.take(b':')?;
                let name = self.string()?;
                self.take(b';')?;
                Ok(match name.parse::<i64>() {
                    _ if of_object => Key::Name(plain_name(name)),
                    // An array has no other key for the digits of a number.
                    Ok(number) if number.to_string() == name => Key::Number(number),
                    _ => Key::Name(name),
                })
            }
            _ => {
                self.at -= 1;
                Err(self.broken("no key"))
            }
        }
    }

    fn reference(&mut self, kind: u8) -> Read<usize> {
        let at = self.at;
        self.at += 1;
        self.take(b':')?;
        let number = usize::try_from(self.integer(b';')?).unwrap_or(0);
        let place = number.checked_sub(1).and_then(|n| self.numbered.get(n));
        let Some(&place) = place else {
            return Err(Broken {
                at,
                what: "a reference to nothing",
            });
        };
        if matches!(self.nodes[place], Node::Open) {
            return Err(Broken {
                at,
                what: "a value that holds itself",
            });
        }
        if kind == b'r' {
            self.numbered.push(place);
        }
        Ok(place)
    }
}

/// Private and protected properties have their class, or a star, between two zeros before them.
fn plain_name(name: String) -> String {
    let mangled = name
        .strip_prefix('\0')
        .and_then(|rest| rest.split_once('\0'));
    match mangled {
        Some((_, plain)) => plain.to_owned(),
        None => name,
    }
}

fn named((key, place): (Key, usize)) -> (String, usize) {
    let name = match key {
        Key::Number(number) => number.to_string(),
        Key::Name(name) => name,
    };
    let mut quoted = String::new();
    json::quote(&name, &mut quoted);
    (quoted, place)
}

fn is_number(text: &str) -> bool {
    json::parse(text)
        .is_some_and(|json| json.raw == text && matches!(json.kind, json::Kind::Number(_)))
}

fn print(nodes: &[Node], place: usize, depth: usize, out: &mut String) -> Option<()> {
    if depth > MAX_DEPTH || out.len() > MAX_BYTES {
        return None;
    }
    match nodes.get(place)? {
        Node::Open => return None,
        Node::Plain(text) => out.push_str(text),
        Node::Items(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                print(nodes, *item, depth + 1, out)?;
            }
            out.push(']');
        }
        Node::Members(members) => {
            out.push('{');
            for (i, (key, value)) in members.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(key);
                out.push(':');
                print(nodes, *value, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
