//! Takes out of a draft what does not fit both schemas, until the rest does.

use std::collections::BTreeMap;
use std::path::Path;

use super::draft::{Draft, Form};
use super::render::{Ends, Rendered, Spot, render};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::diagnostic::{Diagnostics, Severity};
use crate::mapping::compile::compile;

/// Each round takes out at least one piece, or is the last.
const ROUNDS: usize = 200;

/// Something of a draft that a message can be about, and whether the file is then whole.
pub struct Settled {
    pub draft: Draft,
    pub text: String,
    /// It loads, and compiles against both schemas.
    pub compiles: bool,
}

pub fn settle(mut draft: Draft, ends: &Ends, source: &Catalog, target: &Catalog) -> Settled {
    for _ in 0..ROUNDS {
        let rendered = render(&draft, ends);
        let problems = match judge(&rendered.text, source, target) {
            Ok(()) => {
                return Settled {
                    draft,
                    text: rendered.text,
                    compiles: true,
                };
            }
            Err(problems) => problems,
        };
        let blamed = blamed(&problems, &rendered);
        let mut changed = false;
        for (_, (spot, reason)) in blamed {
            changed |= take_out(&mut draft, spot, reason, target);
        }
        if !changed {
            draft.left_over = unblamed(&problems, &rendered);
            break;
        }
    }
    let text = render(&draft, ends).text;
    Settled {
        draft,
        text,
        compiles: false,
    }
}

fn judge(text: &str, source: &Catalog, target: &Catalog) -> Result<(), Diagnostics> {
    let config = Config::parse(text, Path::new("cartage.toml"))?;
    compile(&config, source, target).map(|_| ())
}

/// The first problem of each piece. Those of whole tables count only where there are no others, for
/// they may follow from what is taken out now.
fn blamed(problems: &Diagnostics, rendered: &Rendered) -> BTreeMap<usize, (Spot, String)> {
    let mut all = BTreeMap::new();
    for (problem, place) in problems.iter() {
        let Some(place) = place.filter(|_| problem.severity == Severity::Error) else {
            continue;
        };
        if let Some(spot) = rendered.spots.get(place.line - 1).copied().flatten() {
            let mut reason = problem.message.clone();
            if let Some(expected) = &problem.expected {
                reason += &format!(" (expected {expected})");
            }
            if !is_unanswered(&reason) {
                all.entry(place.line).or_insert((spot, reason));
            }
        }
    }
    let is_table = |spot: &Spot| matches!(spot, Spot::Into(_) | Spot::Rows(_));
    let small = all.values().any(|(spot, _)| !is_table(spot));
    all.retain(|_, (spot, _)| !(small && is_table(spot)));
    all
}

/// It is the reader's to answer, and no reason to give up the table.
fn is_unanswered(reason: &str) -> bool {
    reason.contains("nothing fills it")
}

fn unblamed(problems: &Diagnostics, rendered: &Rendered) -> Vec<String> {
    let errors = problems
        .iter()
        .filter(|(p, _)| p.severity == Severity::Error);
    errors
        .filter(|(problem, _)| !is_unanswered(&problem.message))
        .map(|(problem, place)| {
            let spot = place.and_then(|p| rendered.spots.get(p.line - 1).copied().flatten());
            match spot {
                Some(Spot::Into(_)) | None => problem.message.clone(),
                Some(_) => format!("{} (it could not be taken out)", problem.message),
            }
        })
        .collect()
}

/// Whether anything has changed by it.
fn take_out(draft: &mut Draft, spot: Spot, reason: String, target: &Catalog) -> bool {
    fn mark(out: Option<&mut Option<String>>, reason: String) -> bool {
        match out {
            Some(out) if out.is_none() => {
                *out = Some(reason);
                true
            }
            _ => false,
        }
    }
    match spot {
        Spot::Live => {
            let live = draft.cart.as_mut().and_then(|c| c.live.as_mut());
            mark(live.map(|l| &mut l.out), reason)
        }
        Spot::ChangedAt => {
            let at = draft.cart.as_mut().and_then(|c| c.changed_at.as_mut());
            mark(at.map(|a| &mut a.out), reason)
        }
        Spot::Rows(i) => mark(draft.rows.get_mut(i).map(|p| &mut p.out), reason),
        Spot::Lookup(i) => mark(draft.lookups.get_mut(i).map(|p| &mut p.out), reason),
        Spot::Map(i) => mark(draft.maps.get_mut(i).map(|p| &mut p.out), reason),
        Spot::Into(i) => mark(draft.intos.get_mut(i).map(|p| &mut p.out), reason),
        Spot::Key(i, k) => {
            let Some(into) = draft.intos.get_mut(i) else {
                return false;
            };
            let Some(key) = into.what.keys.get_mut(k) else {
                return false;
            };
            // Without these there would be other rows than those that are meant.
            match key.what.0 {
                name @ ("where" | "group") => {
                    mark(Some(&mut into.out), format!("`{name}`: {reason}"))
                }
                _ => mark(Some(&mut key.out), reason),
            }
        }
        Spot::Column(i, c) => {
            let Some(into) = draft.intos.get_mut(i) else {
                return false;
            };
            let Some(column) = into.what.columns.get_mut(c) else {
                return false;
            };
            // Without its key no row can be found.
            if matches!(column.what.form, Form::Key | Form::Allocated) {
                let reason = format!("`{}`, its key: {reason}", column.what.name);
                return mark(Some(&mut into.out), reason);
            }
            if !mark(Some(&mut column.out), reason) {
                return false;
            }
            let name = column.what.name.clone();
            let info = target.find(&into.what.table).and_then(|t| t.column(&name));
            let must = info.filter(|i| i.not_null && !i.has_default && !i.generated && !i.identity);
            if let Some(info) = must {
                into.what.answers.push((name, info.ty.name.clone()));
            }
            true
        }
    }
}
