//! What is known of a cart, for people: the conclusion first.

use std::fmt::Write;

use serde_json::Value;

use super::read::Explained;

impl Explained {
    pub fn text(&self) -> String {
        let mut out = String::new();
        let doc = &self.document;
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<12} {value}");
        };
        line("cart", plain(&doc["cart"]));
        line("conclusion", self.conclusion.text.clone());
        if let Some(next) = &self.conclusion.next {
            line("next", next.clone());
        }
        line("ledger", ledger(&doc["ledger"]));
        let at = &doc["positions"];
        line(
            "positions",
            format!(
                "source {}, read up to {}; lane {} has applied {}, {}",
                plain(&at["source_end"]),
                plain(&at["read_up_to"]),
                at["lane"],
                plain(&at["lane_applied"]),
                match at["lane_past_what_was_read"] == true {
                    true => "which is past what was read",
                    false => "which is not past what was read",
                }
            ),
        );
        let batch = &doc["last_batch"];
        line(
            "last batch",
            format!(
                "of the lane, not of the cart: committed {} ago, up to a source commit {} ago",
                seconds(&batch["lane_committed_seconds_ago"]),
                seconds(&batch["source_commit_seconds_ago"])
            ),
        );
        let hold = &doc["hold"];
        if !hold.is_null() {
            line(
                "held",
                format!(
                    "{}: {} (since {}, tried {} times, again at {})",
                    plain(&hold["reason"]),
                    plain(&hold["message"]),
                    plain(&hold["since"]),
                    hold["attempts"],
                    hold["retry_at"].as_str().unwrap_or("never by itself")
                ),
            );
        }
        let wish = &doc["wish"];
        if !wish.is_null() {
            let (reason, since) = (plain(&wish["reason"]), plain(&wish["since"]));
            line("to be read", format!("{reason}, since {since}"));
        }
        let walk = &doc["walk"];
        if !walk.is_null() {
            line(
                "walk",
                format!("{}, {} carts done", plain(&walk["kind"]), walk["done"]),
            );
        }
        let checked = &doc["verification"];
        line(
            "verified",
            match checked.is_null() {
                true => "never".to_owned(),
                false => format!(
                    "{} by run {} at {}",
                    plain(&checked["verdict"]).replace('_', " "),
                    checked["run"],
                    plain(&checked["at"])
                ),
            },
        );
        let conflicts = &doc["conflicts"];
        let (total, late) = (&conflicts["total"], &conflicts["late"]);
        line(
            "conflicts",
            format!("{total} records, {late} of them late changes"),
        );
        for record in list(&conflicts["latest"]) {
            let _ = writeln!(
                out,
                "             {} {} at {}, {}",
                record["id"],
                plain(&record["kind"]),
                plain(&record["position"]),
                plain(&record["at"])
            );
        }
        out.push_str(&differences(doc));
        out.push_str(&rows(
            "Source, as the mapping reads it",
            &doc["source"]["rows"],
            false,
        ));
        out.push_str(&rows("Target", &doc["target"], true));
        out
    }
}

fn ledger(ledger: &Value) -> String {
    if ledger.is_null() {
        return "does not know it".to_owned();
    }
    let image = &ledger["image"];
    format!(
        "{} at {}, {} mapping, {} patches, read whole at {}; image: {}, {} rows, {} ghosts",
        plain(&ledger["state"]),
        plain(&ledger["position"]),
        match ledger["mapping_is_current"] == true {
            true => "the current",
            false => "an older",
        },
        ledger["patches"],
        ledger["refreshed"].as_str().unwrap_or("no point"),
        plain(&image["life"]),
        image["rows"],
        image["ghosts"]
    )
}

fn differences(doc: &Value) -> String {
    let mut out = String::new();
    let all = list(&doc["differences"]).iter().chain(list(&doc["beside"]));
    for difference in all {
        if out.is_empty() {
            out.push_str("\nDifferences:\n");
        }
        let column = difference["column"].as_str();
        let _ = write!(
            out,
            "  {} {} {}",
            plain(&difference["kind"]).replace('_', " "),
            plain(&difference["table"]),
            plain(&difference["key"])
        );
        if let Some(column) = column {
            let (source, target) = (&difference["source"], &difference["target"]);
            let _ = write!(out, ", {column}: source {source}, target {target}");
        }
        out.push('\n');
    }
    out
}

/// One column a line.
fn rows(title: &str, rows: &Value, tokens: bool) -> String {
    let mut out = format!("\n{title}:\n");
    if list(rows).is_empty() {
        out.push_str("  (no rows)\n");
    }
    for entry in list(rows) {
        let _ = write!(out, "  {}", plain(&entry["table"]));
        if tokens {
            let _ = write!(out, " {}", plain(&entry["key"]));
            if entry["there"] == false {
                out.push_str(": not there");
            } else if let Some(token) = entry["token"].as_str() {
                let _ = write!(out, ", lock {token}");
                match entry["token_left"].as_str() {
                    Some(left) if left != token => {
                        let _ = write!(out, " (cartage left {left})");
                    }
                    _ => {}
                }
            }
        }
        out.push('\n');
        let row = entry["row"].as_object();
        let width = row.map_or(0, |row| {
            row.keys()
                .map(|name| name.chars().count())
                .max()
                .unwrap_or(0)
        });
        for (column, value) in row.into_iter().flatten() {
            let _ = writeln!(out, "    {column:<width$}  {value}");
        }
    }
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "not known".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn seconds(value: &Value) -> String {
    let seconds = value.as_f64();
    seconds.map_or_else(
        || "a time not known".to_owned(),
        |seconds| format!("{seconds:.1} s"),
    )
}
