//! The keys of `docs/configuration.md` are those that the loader knows, section by section.

use std::collections::BTreeSet;

use super::{CART, INTO, problems, with};

const PAGE: &str = include_str!("../../../docs/configuration.md");

/// No known key is near to it: the loader answers with all of them.
const NONE: &str = "zzzzzzzzzzzzzzzz";

/// The keys that the loader knows where [`NONE`] stands in the file.
fn known(file: &str) -> BTreeSet<String> {
    let found = problems(file);
    let told = found
        .iter()
        .find_map(|line| line.split_once(&format!("unknown key `{NONE}` in ")));
    let (_, told) = told.unwrap_or_else(|| panic!("{found:?}"));
    let (_, expected) = told.split_once("(expected ").expect("what was expected");
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn under<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("\n## {heading}\n"))
        .expect(heading);
    rest.split("\n## ").next().unwrap_or_default()
}

/// The keys of a section's table.
fn documented(heading: &str) -> BTreeSet<String> {
    let rows = under(PAGE, heading)
        .lines()
        .filter(|l| l.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

fn not_built() -> BTreeSet<String> {
    let text = under(PAGE, "Not built yet");
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_keys_of_the_page_are_those_of_the_loader() {
    let section = |name: &str| with(&format!("[{name}]\n{NONE} = 1\n{CART}{INTO}"));
    let none = format!("{NONE} = 1");
    let source = |line: &str| {
        with(&format!("{CART}{INTO}")).replacen("[source]\n", &format!("[source]\n{line}\n"), 1)
    };
    let not_built = not_built();
    let mut differences = Vec::new();
    let mut compare = |heading: &str, known: BTreeSet<String>| {
        let told = documented(heading);
        let known: BTreeSet<String> = known.difference(&not_built).cloned().collect();
        if told != known {
            differences.push(format!(
                "{heading}: the page {told:?}, the loader {known:?}"
            ));
        }
    };
    let mut ends = known(&source(&none));
    assert!(ends.remove("tls"));
    let tls = known(&source(&format!("tls = {{ {none} }}")));
    ends.extend(tls.iter().map(|key| format!("tls.{key}")));
    compare("`[source]` and `[target]`", ends);
    for name in [
        "apply",
        "refresh",
        "reconcile",
        "watch",
        "conflicts",
        "reconcile",
        "log",
        "metrics",
        "ids",
        "merge",
        "synthetic",
    ] {
        compare(&format!("`[{name}]`"), known(&section(name)));
    }
    for part in ["create", "change", "remove"] {
        let part = format!("[[synthetic.{part}]]");
        let file = with(&format!("{part}\n{none}\n{CART}{INTO}"));
        compare(&format!("`{part}`"), known(&file));
    }
    let cart = CART.replacen("[cart.rows]", &format!("{none}\n[cart.rows]"), 1);
    let mut of_cart = known(&with(&format!("{cart}{INTO}")));
    assert!(of_cart.remove("rows"));
    compare("`[cart]`", of_cart);
    let rows = CART.replacen(
        "cart = 'order_id'",
        &format!("cart = 'order_id', {none}"),
        1,
    );
    compare("`[cart.rows]`", known(&with(&format!("{rows}{INTO}"))));
    let map = format!("[map.x]\nvalues.a = 'b'\n{none}\n");
    compare("`[map.X]`", known(&with(&format!("{map}{CART}{INTO}"))));
    let into = INTO.replacen("per =", &format!("{none}\nper ="), 1);
    compare("`[[into]]`", known(&with(&format!("{CART}{into}"))));
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    // Columns are told by their forms, sections by their headings.
    let column = INTO.replacen("id = {", &format!("id = {{ {none},"), 1);
    let forms = under(PAGE, "`[into.columns]`");
    for key in known(&with(&format!("{CART}{column}"))) {
        let told = forms.contains(&format!("{key} = ")) || not_built.contains(&key);
        assert!(told, "`{key}` of a column is not on the page");
    }
    let root = format!("{none}\n{}", with(&format!("{CART}{INTO}")));
    for key in known(&root) {
        let heading = [format!("[{key}]"), format!("[{key}."), format!("[[{key}]]")];
        let told = heading.iter().any(|h| PAGE.contains(h.as_str()))
            || PAGE.contains(&format!("| `{key}` |"));
        assert!(told, "`{key}` of the file is not on the page");
    }
}
