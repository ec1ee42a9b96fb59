//! `[reconcile]`: the verification that the daemon does by itself, and how fast any may read.

use std::time::Duration;

use toml::de::DeValue;

use super::connection::rates;
use super::reader::{Problems, Section, wrong};
use super::{Into, Reconcile};
use super::{beyond, repairs};
use crate::diagnostic::Diagnostic;

/// Carts of a sample are chosen in memory.
const MOST: i64 = 100_000;
/// Where nothing is given: a repair that is older was seen and left as it is.
const KEEP_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(super) fn read(root: &mut Section<'_>, intos: &[Into], problems: &mut Problems) -> Reconcile {
    let mut section = root
        .table("reconcile", problems)
        .unwrap_or_else(|| Section::absent("[reconcile]"));
    let (wanted, place) = (section.has("every"), section.span.clone());
    let sample = section.integer("sample", 1..=MOST, problems);
    let repair = boolean(&mut section, "repair", problems);
    let reconcile = Reconcile {
        every: section
            .duration("every", problems)
            .filter(|every| !every.is_zero()),
        sample: sample.and_then(|n| u64::try_from(n).ok()),
        repair: repair.unwrap_or(false),
        rates: rates(&mut section, problems),
        beyond: beyond::read(&mut section, intos, problems),
        repairs: repairs::read(&mut section, problems),
        keep_for: section.duration("keep_for", problems).unwrap_or(KEEP_FOR),
    };
    if !wanted && (sample.is_some() || repair.is_some()) {
        let message =
            "`sample` and `repair` without `every`: the daemon verifies nothing by itself";
        problems.push(Diagnostic::error(place, message).expected("every = \"1d\""));
    }
    section.finish(problems);
    reconcile
}

fn boolean(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Option<bool> {
    let (_, value) = section.take(key)?;
    match value.get_ref() {
        DeValue::Boolean(yes) => Some(*yes),
        _ => {
            wrong(key, value, "`true` or `false`", problems);
            None
        }
    }
}
