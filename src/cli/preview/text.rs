//! A cart for people: on the left what it is in the old shop, on the right what it becomes, and which
//! expression made each value.

use serde_json::Value;

/// A value of the left side that is longer is cut, for the right side stands beside it.
const LEFT: usize = 46;

pub fn text(cart: &Value) -> String {
    let mut out = format!("cart {}", cart["cart"].as_str().unwrap_or_default());
    if cart["live"] == false {
        out.push_str(" (not live: the target will not have it)");
    }
    out.push('\n');
    if let Some(why) = cart["problem"].as_str() {
        out.push_str(&format!(
            "  it cannot be mapped, and would be held: {why}\n"
        ));
    }
    let list = |side: &str| cart[side].as_array().map_or(&[][..], Vec::as_slice);
    let (sources, targets) = (list("source"), list("target"));
    let of = |target: &Value| {
        target["source"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok())
    };
    for (at, source) in sources.iter().enumerate() {
        let mut left = block(source, "");
        let mut right = Vec::new();
        for target in targets.iter().filter(|t| of(t) == Some(at)) {
            right.extend(block(target, "becomes "));
        }
        beside(&mut left, right, &mut out);
    }
    out.extend(list("lookups").iter().map(answer));
    for target in targets.iter().filter(|t| of(t).is_none()) {
        beside(&mut [], block(target, "becomes "), &mut out);
    }
    out
}

/// `variant(sku "a") finds id "7" in public.variant`.
fn answer(entry: &Value) -> String {
    let list = |side: &str| {
        let columns = entry[side].as_object().into_iter().flatten();
        let columns: Vec<String> = columns
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        columns.join(", ")
    };
    let text = |key: &str| entry[key].as_str().unwrap_or_default();
    let found = match entry["found"] == "a row" {
        true => list("row"),
        false => text("found").to_owned(),
    };
    let (name, table) = (text("lookup"), text("table"));
    format!("  {name}({}) finds {found} in {table}\n", list("match"))
}

/// A row: its table, and a line for each column.
fn block(entry: &Value, title: &str) -> Vec<String> {
    let mut lines = vec![format!(
        "{title}{}",
        entry["table"].as_str().unwrap_or_default()
    )];
    let row = entry["row"].as_object();
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let names = longest(&mut row.into_iter().flatten().map(|(n, _)| n.chars().count()));
    let values = longest(
        &mut row
            .into_iter()
            .flatten()
            .map(|(_, v)| v.to_string().chars().count()),
    );
    for (column, value) in row.into_iter().flatten() {
        let value = value.to_string();
        lines.push(match entry["from"][column.as_str()].as_str() {
            Some(from) => {
                let width = values.min(LEFT);
                format!("  {column:<names$}  {value:<width$}  = {from}")
            }
            None => format!("  {column:<names$}  {value}"),
        });
    }
    lines
}

fn beside(left: &mut [String], right: Vec<String>, out: &mut String) {
    for line in left.iter_mut() {
        if line.chars().count() > LEFT {
            *line = line.chars().take(LEFT - 1).chain(['…']).collect();
        }
    }
    let width = left
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let lines = left.len().max(right.len());
    for at in 0..lines {
        let here = left.get(at).map_or("", String::as_str);
        let line = match right.get(at) {
            Some(there) => format!("  {here:<width$}  │  {there}"),
            None => format!("  {here}"),
        };
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_sides_stand_beside_each_other() {
        let cart = json!({
            "cart": "7", "live": true, "problem": null,
            "source": [{ "table": "s.orders", "row": { "id": "7", "email": "A@x" } }, { "table": "s.gone", "row": {} }],
            "target": [
                { "table": "t.cart", "source": 0, "row": { "id": "7", "mail": "a@x" },
                  "from": { "id": "id", "mail": "lower(email)" } },
                { "table": "t.more", "source": null, "row": { "n": null }, "from": {} },
            ],
            "lookups": [
                { "lookup": "variant", "table": "t.variant", "match": { "sku": "a", "shop": "1" }, "found": "a row",
                  "row": { "id": "9", "title": null } },
                { "lookup": "variant", "table": "t.variant", "match": { "sku": "b", "shop": "1" }, "found": "no row",
                  "row": {} },
            ],
        });
        let expected = "cart 7\n\
            \x20 s.orders        │  becomes t.cart\n\
            \x20   id     \"7\"    │    id    \"7\"    = id\n\
            \x20   email  \"A@x\"  │    mail  \"a@x\"  = lower(email)\n\
            \x20 s.gone\n\
            \x20 variant(sku \"a\", shop \"1\") finds id \"9\", title null in t.variant\n\
            \x20 variant(sku \"b\", shop \"1\") finds no row in t.variant\n\
            \x20   │  becomes t.more\n\
            \x20   │    n  null\n";
        assert_eq!(text(&cart), expected);
    }

    #[test]
    fn a_long_value_of_the_old_shop_is_cut() {
        let cart = json!({
            "cart": "7", "source": [{ "table": "s.o", "row": { "blob": "x".repeat(200) } }], "target": [],
        });
        let longest = text(&cart).lines().map(|l| l.chars().count()).max();
        assert_eq!(longest, Some(LEFT + 2));
    }
}
