//! `cartage conflicts show`: what each side held, what was decided and by which rule.

use serde_json::{Value, json};

use super::{record_json, record_text};
use crate::cli::CommandError;
use crate::cli::held::rows_text;
use crate::target::control::conflicts::{self, Sides, Which};
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;

/// The sides of a record, with what they are called for a human.
pub const SIDES: [(&str, &str); 3] = [
    ("base", "As cartage last wrote it"),
    ("ours", "As the source wanted it"),
    ("theirs", "As it was found in the target"),
];

pub async fn run(
    target: &Target,
    pipeline: &PipelineRow,
    cart: String,
    limit: u64,
    as_json: bool,
) -> Result<(), CommandError> {
    let which = Which {
        cart: Some(cart.clone()),
        ..Which::default()
    };
    let total = conflicts::count(target, pipeline.id, &which).await?;
    let mut documents = Vec::new();
    for record in conflicts::list(target, pipeline.id, &which, limit.max(1)).await? {
        let Some(sides) = conflicts::sides(target, record.id).await? else {
            continue;
        };
        let Sides {
            base,
            ours,
            theirs,
            decisions,
        } = sides;
        let mut document = record_json(pipeline, &record);
        document["base"] = base;
        document["ours"] = ours;
        document["theirs"] = theirs;
        document["decisions"] = decisions;
        documents.push((record, document));
    }
    if as_json {
        let documents: Vec<Value> = documents.into_iter().map(|(_, d)| d).collect();
        println!(
            "{}",
            json!({ "cart": cart, "total": total, "conflicts": documents })
        );
        return Ok(());
    }
    for (at, (record, document)) in documents.iter().enumerate() {
        if at > 0 {
            println!();
        }
        println!("{}", record_text(pipeline, record));
        for (name, title) in SIDES {
            println!("\n{title}:");
            print!("{}", rows_text(&document[name]));
        }
        if let Some(decisions) = document["decisions"].as_array() {
            println!("\nDecided:");
            print!("{}", decisions_text(decisions));
        }
    }
    if documents.len() as u64 != total.unsigned_abs() {
        println!(
            "\n{} of {total}; more: cartage conflicts show {cart} --limit {total}",
            documents.len()
        );
    }
    Ok(())
}

/// One decision a line.
fn decisions_text(decisions: &[Value]) -> String {
    if decisions.is_empty() {
        return "  (each side had changed other values)\n".to_owned();
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut out = String::new();
    for decision in decisions {
        let row = format!("  {} {}", text(&decision["table"]), text(&decision["key"]));
        out += &match decision["column"].as_str() {
            Some(column) => format!(
                "{row} {column}: base {}, ours {}, theirs {} → {} ({})\n",
                text(&decision["base"]),
                text(&decision["ours"]),
                text(&decision["theirs"]),
                text(&decision["result"]),
                text(&decision["rule"])
            ),
            None => format!("{row}: {}\n", text(&decision["rule"])),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_one_line() {
        let decisions = [
            json!({ "table": "public.line", "key": "7", "column": "quantity", "base": "2",
                    "ours": "4", "theirs": "5", "result": "7", "rule": "both" }),
            json!({ "table": "public.line", "key": "8", "column": null, "rule": "closed" }),
        ];
        assert_eq!(
            decisions_text(&decisions),
            "  public.line 7 quantity: base 2, ours 4, theirs 5 → 7 (both)\n  \
             public.line 8: closed\n"
        );
    }
}
