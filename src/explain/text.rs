//! What is known of a cart, for people: the conclusion first.

use std::fmt::Write;

use serde_json::Value;

use super::read::Explained;
use super::why::Why;

impl Explained {
    pub fn text(&self) -> String {
        let mut out = String::new();
        let doc = &self.document;
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<12} {value}");
        };
        line("cart", plain(&doc["cart"]));
        let conclusion = &self.conclusion;
        let said = format!("{}: {}", conclusion.why.word(), conclusion.text);
        line("conclusion", said);
        if let Some(next) = &conclusion.next {
            line("next", next.clone());
        }
        if conclusion.why == Why::TargetAway {
            return out;
        }
        state(doc, &mut line);
        history(doc, &mut line);
        for record in list(&doc["conflicts"]["latest"]) {
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
        let source = &doc["source"];
        match source["unreachable"].is_null() {
            true => out.push_str(&rows(
                "Source, as the mapping reads it",
                &source["rows"],
                false,
            )),
            false => out.push_str("\nSource:\n  (cannot be asked)\n"),
        }
        out.push_str(&rows("Target", &doc["target"], true));
        out
    }
}

/// Where it stands and what is to be done with it.
fn state(doc: &Value, line: &mut impl FnMut(&str, String)) {
    line("ledger", ledger(&doc["ledger"]));
    if let Some(why) = doc["stalled"].as_str() {
        let reason = doc["stopped_reason"].as_str();
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        line("STALLED", format!("{why}{reason}"));
    }
    line("positions", positions(&doc["positions"]));
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
        let waiting = walk["waiting"].as_str();
        let waiting = waiting.map_or_else(String::new, |why| format!("; waits: {why}"));
        line(
            "walk",
            format!(
                "{}, {} carts done{waiting}",
                plain(&walk["kind"]),
                walk["done"]
            ),
        );
    }
}

/// What was found and recorded of it before.
fn history(doc: &Value, line: &mut impl FnMut(&str, String)) {
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
}

fn positions(at: &Value) -> String {
    let lane = format!(
        "lane {} has applied {}",
        at["lane"],
        plain(&at["lane_applied"])
    );
    if at["read_up_to"].is_null() {
        return format!("source not known; {lane}");
    }
    format!(
        "source {}, read up to {}; {lane}, {}",
        plain(&at["source_end"]),
        plain(&at["read_up_to"]),
        match at["lane_past_what_was_read"] == true {
            true => "which is past what was read",
            false => "which is not past what was read",
        }
    )
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
