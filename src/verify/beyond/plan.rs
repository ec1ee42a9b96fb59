//! What `[reconcile]` asks for, held against the target: once, before the first cart is looked at.

use std::path::PathBuf;

use toml::Spanned;

use crate::catalog::{Catalog, TableInfo};
use crate::config::Config;
use crate::config::beyond::{self, Token};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mapping::plan::{Into, Mapping, Role};
use crate::target::beside::{self, Sum};
use crate::target::error::TargetError;
use crate::target::session::Target;

/// What is looked at beside rows.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub tokens: Vec<Token>,
    pub sums: Vec<CheckedSum>,
    /// The header's condition of the new backend's own carts.
    pub own: Option<String>,
    pub min_quantity: i64,
    pub foreign_lines_differ: bool,
    /// Where what does not fit into memory is put.
    pub scratch: PathBuf,
}

/// A sum of which the target has all parts.
#[derive(Clone, Debug)]
pub struct CheckedSum {
    /// The `[[into]]` of the header.
    pub header: usize,
    pub sum: Sum,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{}", .0.render(false))]
    Refused(Diagnostics),
    #[error("target: {0}")]
    Target(#[from] TargetError),
}

impl Plan {
    pub async fn of(
        config: &Config,
        mapping: &Mapping,
        target: &Target,
    ) -> Result<Self, PlanError> {
        let asked = &config.reconcile.beyond;
        let mut problems = Vec::new();
        let mut sums = Vec::new();
        for sum in &asked.sums {
            match checked(sum, mapping, target).await? {
                Ok(sum) => sums.push(sum),
                Err(problem) => problems.push(problem),
            }
        }
        let header = mapping.intos.iter().find(|into| into.role == Role::Header);
        if let (Some(own), Some(header)) = (&asked.own, header) {
            let page = beside::page(target, header, None, Some(own.get_ref()), 0).await;
            if let Err(why) = page {
                problems.push(refused(own, why, "a condition over the header's table")?);
            }
        }
        if !problems.is_empty() {
            let problems = Diagnostics::new(&config.path, &config.text, problems);
            return Err(PlanError::Refused(problems));
        }
        Ok(Self {
            tokens: asked.tokens.clone(),
            sums,
            own: asked.own.as_ref().map(|own| own.get_ref().clone()),
            min_quantity: asked.min_quantity,
            foreign_lines_differ: asked.foreign_lines_differ,
            scratch: config.apply.scratch.clone(),
        })
    }
}

/// What the server says of an expression of the file, at its place.
fn refused(
    text: &Spanned<String>,
    why: TargetError,
    expected: &str,
) -> Result<Diagnostic, TargetError> {
    match why.code() {
        Some(_) => {
            let message = format!("the target refuses this: {why}");
            Ok(Diagnostic::error(text.span(), message).expected(expected))
        }
        None => Err(why),
    }
}

async fn checked(
    sum: &beyond::Sum,
    mapping: &Mapping,
    target: &Target,
) -> Result<Result<CheckedSum, Diagnostic>, TargetError> {
    let Some(header) = mapping.intos.get(sum.header) else {
        return Ok(Err(Diagnostic::error(sum.total.span(), "no header")));
    };
    let names = [header.full_name(), sum.of.get_ref().clone()];
    let catalog = target.catalog(&names).await?;
    let (info, lines) = match found(sum, header, &catalog) {
        Ok(found) => found,
        Err(problem) => return Ok(Err(problem)),
    };
    if info.column(&sum.column).is_none() {
        let message = format!(
            "`{}` of the target has no column `{}`",
            info.name, sum.column
        );
        let problem = Diagnostic::error(sum.total.span(), message);
        return Ok(Err(problem.expected("the column that keeps the total")));
    }
    let Some(link) = link(header, info, lines, mapping) else {
        let message = format!(
            "nothing shows which columns of `{}` name their row of `{}`",
            sum.of, info.name
        );
        let problem = Diagnostic::error(sum.of.span(), message);
        let expected = "a foreign key to it, or an [[into]] with `line` whose columns hold its key";
        return Ok(Err(problem.expected(expected)));
    };
    let plan = Sum {
        total: sum.column.clone(),
        schema: lines.schema.clone(),
        table: lines.name.clone(),
        link,
        value: sum.value.get_ref().clone(),
    };
    if let Err(why) = beside::sums(target, header, &plan, &[]).await {
        let expected = format!("an expression over the columns of `{}`", sum.of);
        return Ok(Err(refused(&sum.value, why, &expected)?));
    }
    Ok(Ok(CheckedSum {
        header: sum.header,
        sum: plan,
    }))
}

fn found<'c>(
    sum: &beyond::Sum,
    header: &Into,
    catalog: &'c Catalog,
) -> Result<(&'c TableInfo, &'c TableInfo), Diagnostic> {
    let missing = |at: &Spanned<String>, name: &str| {
        let message = format!("the target has no table `{name}`, or hides it from our user");
        Diagnostic::error(at.span(), message)
    };
    let full = header.full_name();
    let of = sum.of.get_ref();
    let info = catalog
        .find(&full)
        .ok_or_else(|| missing(&sum.total, &full))?;
    let lines = catalog.find(of).ok_or_else(|| missing(&sum.of, of))?;
    Ok((info, lines))
}

/// The columns of the lines' table with the header's column that each holds: by a foreign key, or by
/// what the mapping puts there.
fn link(
    header: &Into,
    info: &TableInfo,
    lines: &TableInfo,
    mapping: &Mapping,
) -> Option<Vec<(String, String)>> {
    let refers =
        |fk: &&crate::catalog::ForeignKey| (&fk.schema, &fk.table) == (&info.schema, &info.name);
    if let Some(fk) = lines.foreign_keys.iter().find(refers) {
        let pairs = fk
            .columns
            .iter()
            .cloned()
            .zip(fk.referenced.iter().cloned());
        return Some(pairs.collect());
    }
    let fills =
        |into: &&std::sync::Arc<Into>| (&into.schema, &into.table) == (&lines.schema, &lines.name);
    let mut filled = mapping.intos.iter().filter(fills);
    filled.find_map(|into| {
        let line = into.line.as_ref().filter(|line| !line.cart.is_empty())?;
        let is_key = |(_, of): &(String, String)| header.key.iter().any(|key| key.name == *of);
        line.cart.iter().all(is_key).then(|| line.cart.clone())
    })
}
