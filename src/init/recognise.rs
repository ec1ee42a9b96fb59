//! Which platform's tables these are, and under which prefix.

use super::platform::{FILES, NewShop, OldShop, Platform, read};
use crate::catalog::{Catalog, TableInfo, TableKind};

pub fn old_shop(catalog: &Catalog) -> Option<OldShop> {
    let platform = find(catalog, |p| p.source.is_some())?;
    Some(OldShop {
        platform: Some(title(&platform)),
        side: platform.source?,
    })
}

pub fn new_shop(catalog: &Catalog) -> Option<NewShop> {
    let platform = find(catalog, |p| p.target.is_some())?;
    Some(NewShop {
        platform: Some(title(&platform)),
        side: platform.target?,
    })
}

fn title(platform: &Platform) -> String {
    format!("{} ({})", platform.name, platform.versions)
}

/// The first platform all of whose marks are there under one prefix.
fn find(catalog: &Catalog, fits: impl Fn(&Platform) -> bool) -> Option<Platform> {
    FILES.iter().find_map(|(_, text)| {
        let plain = read(text, "").filter(|p| fits(p))?;
        let prefix = prefix(&plain, catalog)?;
        read(text, &prefix)
    })
}

fn prefix(platform: &Platform, catalog: &Catalog) -> Option<String> {
    let (first, _) = platform.marks.iter().next()?;
    let mut prefixes: Vec<&str> = catalog
        .tables
        .iter()
        .filter_map(|table| table.name.strip_suffix(first.as_str()))
        .collect();
    prefixes.sort_by_key(|prefix| (prefix.len(), *prefix));
    let all = |prefix: &&str| {
        platform.marks.iter().all(|(name, columns)| {
            let table = catalog.find(&format!("{prefix}{name}"));
            table.is_some_and(|table| holds(table, columns))
        })
    };
    prefixes.into_iter().find(all).map(str::to_owned)
}

fn holds(table: &TableInfo, columns: &[String]) -> bool {
    table.kind != TableKind::Other && columns.iter().all(|name| table.column(name).is_some())
}
