//! The keys that the target has allocated to source rows, kept in a file and taken back: without them a
//! setup after a teardown would allocate others, and carts would come a second time.

use std::collections::BTreeMap;

use crate::target::control::key_map;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// By the target table and the source row's key (a JSON array of texts).
pub type Keys = BTreeMap<String, BTreeMap<String, i64>>;

/// Keys in one statement.
const AT_ONCE: usize = 10_000;

pub async fn read(target: &Target, pipeline: i32) -> Result<Keys, TargetError> {
    let mut keys = Keys::new();
    // Only Postgres allocates.
    if !matches!(target, Target::Postgres(_)) || !key_map::installed(target).await? {
        return Ok(keys);
    }
    let (mut table, mut args) = (String::new(), String::new());
    loop {
        let after = (table.as_str(), args.as_str());
        let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        let page = key_map::page(target, pipeline, after, limit).await?;
        let Some(last) = page.last() else {
            return Ok(keys);
        };
        (table, args) = (last.0.clone(), last.1.clone());
        for (table, args, value) in page {
            keys.entry(table).or_default().insert(args, value);
        }
    }
}

/// Takes all of them, or none: the answer is how many source rows have another key already, or a key
/// that another row has.
pub async fn take_back(target: &Target, pipeline: i32, keys: &Keys) -> Result<i64, TargetError> {
    target.run("BEGIN").await?;
    let others = take_each(target, pipeline, keys).await;
    let end = match others {
        Ok(0) => "COMMIT",
        _ => "ROLLBACK",
    };
    let ended = target.run(end).await;
    let others = others?;
    ended?;
    Ok(others)
}

async fn take_each(target: &Target, pipeline: i32, keys: &Keys) -> Result<i64, TargetError> {
    let mut others = 0;
    for (table, keys) in keys {
        let all: Vec<(&String, &i64)> = keys.iter().collect();
        for some in all.chunks(AT_ONCE) {
            let some: BTreeMap<&String, &i64> = some.iter().copied().collect();
            // Texts and numbers are always JSON.
            let json = serde_json::to_string(&some).unwrap_or_default();
            others += key_map::take_back(target, pipeline, table, &json).await?;
        }
    }
    Ok(others)
}
