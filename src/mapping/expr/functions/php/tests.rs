//! Texts that PHP wrote, and texts that only look so.

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
