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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        unserialize(text.as_bytes()).unwrap_or_else(|b| format!("{} at {}", b.what, b.at))
    }

    /// The left side is what PHP's `serialize` prints, the right side its `json_encode`.
    #[test]
    fn what_php_writes() {
        for (text, json) in [
            ("N;", "null"),
            ("b:1;", "true"),
            ("i:-42;", "-42"),
            ("d:0.1;", "0.1"),
            ("d:1.0E+25;", "1.0E+25"),
            ("d:-0;", "-0"),
            ("s:7:\"a\"b;\né\";", "\"a\\\"b;\\né\""),
            // What is serialized again inside stays a text.
            ("s:4:\"i:5;\";", "\"i:5;\""),
            ("a:0:{}", "[]"),
            ("a:2:{i:0;s:1:\"a\";i:1;b:0;}", "[\"a\",false]"),
            ("a:2:{i:1;i:1;i:0;i:0;}", "{\"1\":1,\"0\":0}"),
            ("a:1:{i:1;N;}", "{\"1\":null}"),
            ("a:1:{s:1:\"0\";N;}", "[null]"),
            ("a:1:{s:2:\"00\";N;}", "{\"00\":null}"),
            ("a:2:{s:1:\"k\";i:1;s:1:\"k\";i:2;}", "{\"k\":2}"),
            ("O:8:\"stdClass\":0:{}", "{}"),
            ("O:8:\"stdClass\":1:{s:1:\"0\";i:5;}", "{\"0\":5}"),
            (
                "O:4:\"Item\":3:{s:2:\"id\";i:7;s:6:\"\0*\0qty\";d:1.5;s:9:\"\0Item\0sku\";s:1:\"x\";}",
                "{\"id\":7,\"qty\":1.5,\"sku\":\"x\"}",
            ),
            // An object twice, and a value by reference.
            (
                "a:2:{i:0;O:1:\"A\":1:{s:1:\"n\";i:3;}i:1;r:2;}",
                "[{\"n\":3},{\"n\":3}]",
            ),
            ("a:3:{i:0;i:9;i:1;R:2;i:2;i:8;}", "[9,9,8]"),
            ("a:3:{i:0;i:9;i:1;r:2;i:2;R:3;}", "[9,9,9]"),
        ] {
            assert_eq!(read(text), json, "{text:?}");
        }
    }

    #[test]
    fn what_it_refuses() {
        let deep = format!("{}N;{}", "a:1:{i:0;".repeat(201), "}".repeat(201));
        let claims = "a:999999999999:{i:0;N;}";
        for (text, message) in [
            ("", "a value that is cut off at 0"),
            ("i:1", "not what PHP's serialize writes at 2"),
            ("i:1;i:2;", "something follows the value at 4"),
            ("i:x;", "no integer at 2"),
            ("i:9223372036854775808;", "no integer at 2"),
            ("b:2;", "no boolean at 2"),
            ("d:1,5;", "no number at 2"),
            ("d:INF;", "a number that JSON does not have at 2"),
            ("s:9:\"a\";", "a string that is cut off at 5"),
            ("s:1:\"é\";", "a string that is not UTF-8 at 5"),
            ("s:-1:\"\";", "no length at 2"),
            ("a:1:{N;N;}", "no key at 5"),
            (claims, "no key at 22"),
            ("a:1:{i:0;R:1;}", "a value that holds itself at 9"),
            ("a:1:{i:0;r:7;}", "a reference to nothing at 9"),
            ("R:0;", "a reference to nothing at 0"),
            (
                "C:1:\"A\":0:{}",
                "an object of a class that serializes itself at 0",
            ),
            ("E:3:\"A:B\";", "a case of an enum at 0"),
            (&deep, "a value that is nested too deeply at 1809"),
        ] {
            assert_eq!(read(text), message, "{text:?}");
        }
        let bytes = [b"s:1:\"".as_slice(), &[0xff], b"\";"].concat();
        assert_eq!(
            unserialize(&bytes).unwrap_err().what,
            "a string that is not UTF-8"
        );
    }

    /// Each level holds the one before twice: 2^60 values in a few hundred bytes.
    #[test]
    fn references_cannot_make_it_endless() {
        let mut text = String::from("a:61:{i:0;a:1:{i:0;s:4:\"boom\";}");
        for (i, number) in (1..=60).zip([2].into_iter().chain(4..)) {
            text.push_str(&format!("i:{i};a:2:{{i:0;R:{number};i:1;R:{number};}}"));
        }
        text.push('}');
        let refused = "a value that its references make too long or too deep ends";
        assert_eq!(unserialize(text.as_bytes()).unwrap_err().what, refused);
    }

    #[derive(Clone, Debug)]
    enum Php {
        Null,
        Bool(bool),
        Int(i64),
        Text(String),
        List(Vec<Php>),
        Object(Vec<Php>),
    }

    fn write(value: &Php, php: &mut String, json: &mut String) {
        match value {
            Php::Null => {
                php.push_str("N;");
                json.push_str("null");
            }
            Php::Bool(b) => {
                php.push_str(&format!("b:{};", u8::from(*b)));
                json.push_str(&b.to_string());
            }
            Php::Int(n) => {
                php.push_str(&format!("i:{n};"));
                json.push_str(&n.to_string());
            }
            Php::Text(text) => {
                php.push_str(&format!("s:{}:\"{text}\";", text.len()));
                json.push_str(&serde_json::to_string(text).unwrap());
            }
            Php::List(items) => {
                php.push_str(&format!("a:{}:{{", items.len()));
                json.push('[');
                for (i, item) in items.iter().enumerate() {
                    php.push_str(&format!("i:{i};"));
                    json.push_str(if i > 0 { "," } else { "" });
                    write(item, php, json);
                }
                php.push('}');
                json.push(']');
            }
            Php::Object(items) => {
                php.push_str(&format!("O:1:\"A\":{}:{{", items.len()));
                json.push('{');
                for (i, item) in items.iter().enumerate() {
                    let name = format!("p{i}");
                    php.push_str(&format!("s:{}:\"{name}\";", name.len()));
                    json.push_str(&format!("{}\"{name}\":", if i > 0 { "," } else { "" }));
                    write(item, php, json);
                }
                php.push('}');
                json.push('}');
            }
        }
    }

    fn any() -> impl Strategy<Value = Php> {
        let leaf = prop_oneof![
            Just(Php::Null),
            proptest::bool::ANY.prop_map(Php::Bool),
            proptest::num::i64::ANY.prop_map(Php::Int),
            "\\PC{0,8}".prop_map(Php::Text),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            let many = proptest::collection::vec(inner, 0..5);
            prop_oneof![many.clone().prop_map(Php::List), many.prop_map(Php::Object)]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_read_and_any_part_of_it_refused(value in any(), cut in 0.0..1.0f64) {
            let (mut php, mut json) = (String::new(), String::new());
            write(&value, &mut php, &mut json);
            let read = unserialize(php.as_bytes()).unwrap();
            prop_assert_eq!(
                serde_json::from_str::<serde_json::Value>(&read).unwrap(),
                serde_json::from_str::<serde_json::Value>(&json).unwrap()
            );
            let part = &php.as_bytes()[..(php.len() as f64 * cut) as usize];
            prop_assert!(unserialize(part).is_err());
        }

        #[test]
        fn no_bytes_break_it(bytes in "[aOsibdNrR:;{}\"0-3x\u{0}é]{0,60}") {
            if let Ok(json) = unserialize(bytes.as_bytes()) {
                prop_assert!(json::parse(&json).is_some());
            }
        }
    }
}
