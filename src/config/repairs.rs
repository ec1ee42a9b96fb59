//! `[reconcile]`, as far as it is about repairs: how fast, and what the daemon may do by itself.

use super::Repairs;
use super::reader::{Problems, Section, wrong};
use toml::de::DeValue;

/// Carts a second, where it is not given.
const USUAL: u32 = 100;

pub(super) fn read(section: &mut Section<'_>, problems: &mut Problems) -> Repairs {
    let per_second = section.integer("repairs_per_second", 1..=100_000, problems);
    let restore = section.take("restore_deleted");
    let restore_deleted = match restore.map(|(_, value)| (value, value.get_ref())) {
        Some((_, DeValue::Boolean(yes))) => *yes,
        Some((value, _)) => {
            wrong("restore_deleted", value, "`true` or `false`", problems);
            false
        }
        None => false,
    };
    Repairs {
        per_second: per_second
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(USUAL),
        restore_deleted,
    }
}
