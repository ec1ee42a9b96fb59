//! The seeds of a hunt.

/// So many as this variable says, beginning with CARTAGE_SEED or anywhere.
pub fn seeds(variable: &str, otherwise: u64) -> Vec<u64> {
    let number = |name: &str| {
        let number = std::env::var(name).ok()?;
        Some(number.parse::<u64>().expect("a number of seeds, or a seed"))
    };
    let first = number("CARTAGE_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let count = number(variable).unwrap_or(otherwise);
    (first..).take(count as usize).collect()
}
