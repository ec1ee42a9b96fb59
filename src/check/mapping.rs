//! What the compiler of mappings says of the configuration against both schemas.

use super::Schemas;
use super::report::{End, Report};
use crate::config::Config;
use crate::diagnostic::{Diagnostics, Severity};
use crate::mapping::compile::compile;

pub fn check(config: &Config, schemas: &Schemas, report: &mut Report) {
    match compile(config, &schemas.source, &schemas.target) {
        Ok(compiled) => {
            let count = compiled.mapping.intos.len();
            let message = format!("every expression of {count} target tables fits both schemas");
            report.pass("mapping", End::Config, message);
            each(&compiled.warnings, report);
        }
        Err(problems) => each(&problems, report),
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
