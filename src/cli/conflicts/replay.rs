//! `cartage conflicts replay`: what another policy would have made of the recorded merges. Each is
//! decided by itself: what the new backend did afterwards is as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{record_json, record_text};
use crate::cart::image::Cell;
use crate::cli::{CommandError, NOT_WELL};
use crate::config::{Model, Policy};
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::compile::{recompile, recompile_with};
use crate::mapping::plan::Mapping;
use crate::merge::{Decision, Merged, Stored, Unmergeable};
use crate::target::control::conflicts::{self, Replayable, Which};
use crate::target::control::mapping_row;
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;

/// Records that are asked for at once.
const PAGE: u64 = 200;

/// Reads the file.
pub fn policy(path: &Path) -> Result<Policy, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|why| {
        CommandError::usage(format!(
            "--policy {}: cannot be read: {why}",
            path.display()
        ))
    })?;
    Policy::parse(&text, path)
        .map_err(|problems| CommandError::usage(problems.render(std::io::stderr().is_terminal())))
}

/// A mapping as it was in force, and under the other policy.
struct Both {
    was: Mapping,
    would: Mapping,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Summary {
    compared: u64,
    same: u64,
    different: u64,
    /// Not enough was kept, or this cartage decides otherwise by the same rules.
    unreplayable: u64,
    /// It could not be merged under the other policy.
    held: u64,
    /// By the rule that decided: values, and how many of them would be others.
    rules: BTreeMap<String, (u64, u64)>,
}

pub async fn run(
    target: &Target,
    pipeline: &PipelineRow,
    policy: &Policy,
    cart: Option<String>,
    limit: usize,
    as_json: bool,
) -> Result<ExitCode, CommandError> {
    check(target, pipeline, policy).await?;
    let mut mappings: BTreeMap<i32, Option<Both>> = BTreeMap::new();
    let mut summary = Summary::default();
    let mut shown = Vec::new();
    let mut which = Which {
        cart,
        kind: Some("merged".to_owned()),
        before: None,
    };
    loop {
        let records = conflicts::list(target, pipeline.id, &which, PAGE).await?;
        let Some(last) = records.last() else { break };
        which.before = Some(last.id);
        for record in records {
            let Some(kept) = conflicts::replayable(target, record.id).await? else {
                continue;
            };
            if let Some(id) = kept.mapping
                && !mappings.contains_key(&id)
            {
                mappings.insert(id, both(target, id, policy).await?);
            }
            let mapping = kept.mapping.and_then(|id| mappings.get(&id)?.as_ref());
            let outcome = replay(&kept, mapping);
            let differences = summary.add(outcome, &kept.decisions);
            if !differences.is_null() && shown.len() < limit {
                let mut document = record_json(pipeline, &record);
                document["different"] = differences;
                shown.push((record_text(pipeline, &record), document));
            }
        }
    }
    let well = summary.unreplayable == 0 && summary.held == 0;
    if as_json {
        let documents: Vec<Value> = shown.into_iter().map(|(_, d)| d).collect();
        let mut document = summary.json();
        document["conflicts"] = documents.into();
        println!("{document}");
    } else {
        for (line, document) in &shown {
            println!("{line}");
            print!("{}", differences_text(&document["different"]));
        }
        print!("{}", summary.text());
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_WELL)
    })
}

/// A column that the mapping does not have is a slip of the pen.
async fn check(
    target: &Target,
    pipeline: &PipelineRow,
    policy: &Policy,
) -> Result<(), CommandError> {
    let Some(id) = pipeline.mapping else {
        return Ok(());
    };
    let Some(stored) = mapping_row::by_id(target, id).await? else {
        return Ok(());
    };
    let mut model =
        Model::parse(&stored.config).map_err(|why| CommandError::failed(why.render(false)))?;
    let strange = policy.put_into(&mut model);
    match strange.is_empty() {
        true => Ok(()),
        false => Err(CommandError::usage(format!(
            "the mapping in force has no {}: write `table` and the columns as they stand there",
            strange.join(", ")
        ))),
    }
}

/// None where the mapping cannot be made again.
async fn both(target: &Target, id: i32, policy: &Policy) -> Result<Option<Both>, CommandError> {
    let Some(stored) = mapping_row::by_id(target, id).await? else {
        return Ok(None);
    };
    let Ok(schemas) = serde_json::from_value::<StoredSchemas>(stored.layout) else {
        return Ok(None);
    };
    let was = recompile(&stored.config, &schemas);
    let would = recompile_with(&stored.config, &schemas, |model| {
        policy.put_into(model);
    });
    Ok(match (was, would) {
        (Ok(was), Ok(would)) => Some(Both { was, would }),
        _ => None,
    })
}

/// What a replay came to.
#[derive(Debug)]
enum Outcome {
    Unreplayable,
    Held(Unmergeable),
    Decided(Vec<Difference>),
}

/// A value that would be another one; of a row without a column, whether it would be there.
#[derive(Debug, PartialEq)]
struct Difference {
    table: String,
    key: String,
    column: Option<String>,
    was: Option<String>,
    would: Option<String>,
    /// What decided the value, where something did.
    rules: [Option<&'static str>; 2],
}

fn replay(kept: &Replayable, mapping: Option<&Both>) -> Outcome {
    let stored = kept.inputs.as_deref().map(Stored::decode);
    let (Some(Ok(stored)), Some(mapping)) = (stored, mapping) else {
        return Outcome::Unreplayable;
    };
    // By its own rules it must come to what was recorded, or nothing follows from what is kept.
    let Ok(was) = stored.merge(&mapping.was) else {
        return Outcome::Unreplayable;
    };
    let decided: Vec<Value> = was.decisions.iter().map(Decision::json).collect();
    if kept.decisions != Value::Array(decided) {
        return Outcome::Unreplayable;
    }
    match stored.merge(&mapping.would) {
        Err(why) => Outcome::Held(why),
        Ok(would) => Outcome::Decided(differences(&mapping.was, &stored, &was, &would)),
    }
}

type Rows = BTreeMap<(usize, Vec<Box<str>>), Vec<Option<String>>>;

/// The rows as they would be once all is written.
fn rows(stored: &Stored, merged: &Merged) -> Rows {
    let texts = |cells: &[Cell]| -> Vec<Option<String>> {
        cells.iter().map(|c| c.text().map(str::to_owned)).collect()
    };
    let mut rows: Rows = BTreeMap::new();
    for row in stored.theirs() {
        rows.insert((row.into, row.key.to_vec()), texts(&row.cells));
    }
    for write in &merged.writes {
        let Some(into) = write.index else { continue };
        let id = (into, write.key.to_vec());
        match write.written() {
            Some(Some(cells)) => drop(rows.insert(id, texts(cells))),
            Some(None) => drop(rows.remove(&id)),
            None => {}
        }
    }
    rows
}

fn differences(
    mapping: &Mapping,
    stored: &Stored,
    was: &Merged,
    would: &Merged,
) -> Vec<Difference> {
    let (before, after) = (rows(stored, was), rows(stored, would));
    let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut out = Vec::new();
    for id in ids {
        let into = &mapping.intos[id.0];
        let (table, key) = (into.full_name(), id.1.join("|"));
        let rule = |merged: &Merged, column: Option<&str>| {
            let is = |d: &&Decision| {
                d.table == table && *d.key == *id.1 && d.column.as_deref() == column
            };
            merged.decisions.iter().find(is).map(|d| d.rule)
        };
        let difference = |column: Option<&str>, was_value, would_value| Difference {
            table: table.clone(),
            key: key.clone(),
            column: column.map(str::to_owned),
            was: was_value,
            would: would_value,
            rules: [rule(was, column), rule(would, column)],
        };
        match (before.get(id), after.get(id)) {
            (Some(before), Some(after)) => {
                for (at, column) in into.columns.iter().enumerate() {
                    if before[at] != after[at] {
                        let (was, would) = (before[at].clone(), after[at].clone());
                        out.push(difference(Some(&column.name), was, would));
                    }
                }
            }
            (before, after) => {
                let there = |row: Option<&Vec<_>>| row.map(|_| "there".to_owned());
                out.push(difference(None, there(before), there(after)));
            }
        }
    }
    out
}

impl Summary {
    /// Counts a replay; answers what differs, for it to be shown.
    fn add(&mut self, outcome: Outcome, decisions: &Value) -> Value {
        self.compared += 1;
        let differences = match outcome {
            Outcome::Unreplayable => {
                self.unreplayable += 1;
                return Value::Null;
            }
            Outcome::Held(why) => {
                self.held += 1;
                return json!([{ "held": why.to_string() }]);
            }
            Outcome::Decided(differences) => differences,
        };
        for decision in decisions.as_array().into_iter().flatten() {
            let text = |name: &str| decision[name].as_str().unwrap_or_default();
            let is = |d: &Difference| {
                d.table == text("table")
                    && d.key == text("key")
                    && (d.column.is_none() || d.column.as_deref() == decision["column"].as_str())
            };
            let counts = self.rules.entry(text("rule").to_owned()).or_default();
            counts.0 += 1;
            counts.1 += u64::from(differences.iter().any(is));
        }
        if differences.is_empty() {
            self.same += 1;
            return Value::Null;
        }
        self.different += 1;
        let each = differences.iter().map(|d| {
            json!({
                "table": d.table,
                "key": d.key,
                "column": d.column,
                "was": d.was,
                "would": d.would,
                "rule_was": d.rules[0],
                "rule_would": d.rules[1],
            })
        });
        each.collect()
    }

    fn json(&self) -> Value {
        let rules = self.rules.iter().map(|(rule, (decided, different))| {
            let counts = json!({ "decided": decided, "different": different });
            (rule.clone(), counts)
        });
        json!({
            "compared": self.compared,
            "same": self.same,
            "different": self.different,
            "held": self.held,
            "unreplayable": self.unreplayable,
            "rules": rules.collect::<serde_json::Map<_, _>>(),
        })
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{} merges replayed: {} the same, {} different",
            self.compared, self.same, self.different
        );
        if self.held > 0 {
            out += &format!(", {} would be held", self.held);
        }
        if self.unreplayable > 0 {
            out += &format!(
                ", {} cannot be replayed (recorded by another version, or their mapping is gone)",
                self.unreplayable
            );
        }
        out += "\n";
        for (rule, (decided, different)) in &self.rules {
            out += &format!("  {rule}: {different} of {decided} would differ\n");
        }
        out
    }
}

fn differences_text(differences: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut out = String::new();
    for d in differences.as_array().into_iter().flatten() {
        if let Some(why) = d["held"].as_str() {
            out += &format!("    would be held: {why}\n");
            continue;
        }
        let row = format!("{} {}", text(&d["table"]), text(&d["key"]));
        let rule = |name: &str| match d[name].as_str() {
            Some(rule) => format!(" ({rule})"),
            None => String::new(),
        };
        let place = match d["column"].as_str() {
            Some(column) => format!("{row} {column}"),
            None => row,
        };
        let value = |name: &str| match d["column"].is_null() && d[name].is_null() {
            true => "not there".to_owned(),
            false => text(&d[name]),
        };
        out += &format!(
            "    {place}: {}{} → {}{}\n",
            value("was"),
            rule("rule_was"),
            value("would"),
            rule("rule_would")
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_counted_by_what_they_decided() {
        let mut summary = Summary::default();
        let decisions = json!([
            { "table": "line", "key": "1", "column": "quantity", "rule": "both" },
            { "table": "cart", "key": "c", "column": "email", "rule": "latest: source" },
        ]);
        let difference = Difference {
            table: "line".into(),
            key: "1".into(),
            column: Some("quantity".into()),
            was: Some("7".into()),
            would: Some("5".into()),
            rules: [Some("both"), Some("max")],
        };
        let shown = summary.add(Outcome::Decided(vec![difference]), &decisions);
        assert_eq!(
            differences_text(&shown),
            "    line 1 quantity: 7 (both) → 5 (max)\n"
        );
        assert!(
            summary
                .add(Outcome::Decided(Vec::new()), &decisions)
                .is_null()
        );
        summary.add(Outcome::Unreplayable, &Value::Null);
        let json = summary.json();
        let counts = ["compared", "same", "different", "held", "unreplayable"];
        assert_eq!(counts.map(|c| json[c].as_u64().unwrap()), [3, 1, 1, 0, 1]);
        assert_eq!(
            json["rules"]["both"],
            json!({ "decided": 2, "different": 1 })
        );
        assert_eq!(json["rules"]["latest: source"]["different"], 0);
    }

    #[test]
    fn a_row_is_there_or_not() {
        let shown = json!([{ "table": "line", "key": "1", "column": null, "was": "there",
                             "would": null, "rule_was": null, "rule_would": null }]);
        assert_eq!(differences_text(&shown), "    line 1: there → not there\n");
    }
}
