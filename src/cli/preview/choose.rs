//! Which carts are shown: those that were named, those of a file, and some at random.

use std::io::Read as _;
use std::path::Path;

use crate::cart::key::CartKey;
use crate::cli::CommandError;
use crate::mapping::plan::Mapping;
use crate::source::Source;

/// Keys that are asked for at once.
const PAGE: usize = 10_000;

/// Random carts are of the first so many: a shop may have more of them than a look is worth.
const AMONG: usize = 200_000;

/// The keys of a file, one a line; empty lines are none. `-` is what comes in on stdin.
pub fn from_file(path: &Path) -> Result<Vec<String>, CommandError> {
    let unreadable = |why: std::io::Error| {
        CommandError::usage(format!("{} cannot be read: {why}", path.display()))
    };
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(unreadable)?;
    } else {
        text = std::fs::read_to_string(path).map_err(unreadable)?;
    }
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// Live carts, each as likely as any other among the first [`AMONG`]. As far as the source cannot
/// judge `live`, some may turn out not to be.
pub async fn at_random(
    source: &Source,
    mapping: &Mapping,
    count: usize,
) -> Result<Vec<CartKey>, CommandError> {
    let mut chosen: Vec<CartKey> = Vec::new();
    let mut seen = 0;
    let mut after: Option<CartKey> = None;
    while seen < AMONG {
        let live = mapping.live.as_ref();
        let page = source
            .next_keys(&mapping.layout, live, after.as_ref(), PAGE)
            .await?;
        let last = page.len() < PAGE;
        after = page.last().cloned().or(after);
        for cart in page {
            seen += 1;
            take_in(&mut chosen, cart, seen, count, |below| {
                fastrand::usize(..below)
            });
        }
        if last {
            break;
        }
    }
    Ok(chosen)
}

/// The n-th of a row of unknown length stays with a chance of `count` in n.
fn take_in<T>(
    chosen: &mut Vec<T>,
    next: T,
    nth: usize,
    count: usize,
    mut below: impl FnMut(usize) -> usize,
) {
    if chosen.len() < count {
        chosen.push(next);
        return;
    }
    let at = below(nth);
    if let Some(place) = chosen.get_mut(at) {
        *place = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_as_likely_as_any_other() {
        let mut times = [0u32; 10];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..10_000 {
            let mut chosen = Vec::new();
            for item in 0..10usize {
                take_in(&mut chosen, item, item + 1, 3, |below| {
                    random.usize(..below)
                });
            }
            assert_eq!(chosen.len(), 3);
            chosen.into_iter().for_each(|item| times[item] += 1);
        }
        assert!(
            times.iter().all(|n| (2_700..3_300).contains(n)),
            "{times:?}"
        );
    }

    #[test]
    fn a_file_has_a_key_on_each_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("carts");
        std::fs::write(&file, "7\r\n\nEU|1|x\n").expect("a file");
        assert_eq!(from_file(&file).expect("keys"), ["7", "EU|1|x"]);
        assert!(from_file(&folder.path().join("none")).is_err());
    }
}
