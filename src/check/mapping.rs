//! What the compiler of mappings says of the configuration against both schemas.

use super::report::{End, Report};
use super::{Schemas, rollback, unfilled, uniques};
use crate::config::Config;
use crate::diagnostic::{Diagnostics, Severity};
use crate::mapping::compile::compile;
use crate::mapping::plan::{Mapping, Role};
use crate::switch::{self, Mutant};

pub fn check(config: &Config, schemas: &Schemas, report: &mut Report) {
    match compile(config, &schemas.source, &schemas.whole_target()) {
        Ok(compiled) => {
            let count = compiled.mapping.intos.len();
            let message = format!("every expression of {count} target tables fits both schemas");
            report.pass("mapping", End::Config, message);
            guessable(&compiled.mapping, report);
            unfilled::check(config, &schemas.target, report);
            uniques::check(&compiled.mapping, schemas, report);
            rollback::check(&compiled.mapping, report);
            each(&compiled.warnings, report);
        }
        Err(problems) => each(&problems, report),
    }
}

/// In several platforms whoever knows a cart's id has the cart. An id that is made of counters alone
/// can be guessed, whatever is done to them, unless the pipeline's secret goes into it.
fn guessable(mapping: &Mapping, report: &mut Report) {
    let headers = mapping.intos.iter().filter(|i| i.role == Role::Header);
    for into in headers.filter(|_| !switch::mutant(Mutant::CountersAsIds)) {
        let (mut counters, mut others) = (Vec::new(), false);
        for column in &into.key {
            others |= column.expr.uses_secret();
            column.expr.reads(&mut |table, column| {
                let column = &mapping.layout.tables[table].columns[column];
                match column.ty.class.is_integer() {
                    true => counters.push(column.name.as_str()),
                    false => others = true,
                }
            });
        }
        if others || counters.is_empty() {
            continue;
        }
        counters.sort_unstable();
        counters.dedup();
        let keys: Vec<&str> = into.key.iter().map(|k| k.name.as_str()).collect();
        let counters = counters.join(", ");
        report.warn(
            "guessable id",
            End::Config,
            format!(
                "the key {} of {} is made of the counter {counters}: if the new backend lets in \
                 whoever knows a cart's id, carts can be listed; keyed_id({counters}) cannot be \
                 guessed",
                keys.join(", "),
                into.full_name()
            ),
            None,
        );
    }
}

fn each(problems: &Diagnostics, report: &mut Report) {
    for (problem, place) in problems.iter() {
        let mut message = match place {
            Some(place) => {
                let path = problems.path.display();
                format!(
                    "{path}:{}:{}: {}",
                    place.line, place.column, problem.message
                )
            }
            None => problem.message.clone(),
        };
        if let Some(expected) = &problem.expected {
            message += &format!(" ({expected})");
        }
        match problem.severity {
            Severity::Error => report.fail("mapping", End::Config, message, None),
            Severity::Warning => report.warn("mapping", End::Config, message, None),
        }
    }
}
