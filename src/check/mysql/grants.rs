//! What `SHOW GRANTS` says that a user may do, its active roles included.

/// Whole tables, or more: privileges on some columns are not among them.
#[derive(Debug, Default)]
pub struct Grants(Vec<Grant>);

#[derive(Debug, PartialEq, Eq)]
struct Grant {
    privileges: Vec<String>,
    /// None is each one.
    database: Option<String>,
    table: Option<String>,
    /// MySQL can take a part of what was granted for all databases back for one.
    revoked: bool,
}

impl Grants {
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        Self(lines.into_iter().filter_map(grant).collect())
    }

    pub fn has(&self, privilege: &str, database: &str, table: &str) -> bool {
        let gives = |grant: &&Grant| {
            let named =
                |p: &String| p == privilege || p.starts_with("ALL PRIVILEGES") || p == "ALL";
            let here = grant.database.as_ref().is_none_or(|d| like(d, database))
                && grant.table.as_ref().is_none_or(|t| t == table);
            here && grant.privileges.iter().any(named)
        };
        let revoked = |grant: &Grant| grant.revoked && gives(&grant);
        let global = |grant: &Grant| grant.database.is_none();
        let taken = self.0.iter().any(revoked);
        let mut given = self.0.iter().filter(|g| !g.revoked).filter(gives);
        given.any(|grant| !(taken && global(grant)))
    }
}

/// `GRANT SELECT, INSERT (a) ON `shop`.`cart` TO …`; none for a role, a procedure or a proxy.
fn grant(line: &str) -> Option<Grant> {
    let (verb, rest) = line.split_once(' ')?;
    let (privileges, rest) = rest.split_once(" ON ")?;
    let (database, rest) = name(rest)?;
    let (table, _) = name(rest.strip_prefix('.')?)?;
    Some(Grant {
        privileges: privileges
            .split(", ")
            .filter(|p| !p.contains(['(', ')', '`']))
            .map(|p| p.trim().to_ascii_uppercase())
            .collect(),
        database,
        table,
        revoked: verb.eq_ignore_ascii_case("REVOKE"),
    })
}

/// A name in backticks, or `*` for each, and what follows it.
fn name(text: &str) -> Option<(Option<String>, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((None, rest));
    }
    let inner = text.strip_prefix('`')?;
    let mut name = String::new();
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '`' if chars.peek().is_some_and(|(_, next)| *next == '`') => {
                chars.next();
                name.push('`');
            }
            '`' => return Some((Some(name), &inner[at + 1..])),
            c => name.push(c),
        }
    }
    None
}

/// Databases are granted by patterns.
fn like(pattern: &str, name: &str) -> bool {
    let mut pattern_chars = pattern.chars();
    match pattern_chars.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = pattern_chars.as_str();
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| like(rest, &name[at..]))
        }
        Some(wanted) => {
            let wanted = match wanted {
                '\\' => pattern_chars.next(),
                '_' => None,
                wanted => Some(wanted),
            };
            let mut name_chars = name.chars();
            let met = name_chars.next();
            met.is_some_and(|met| wanted.is_none_or(|wanted| wanted == met))
                && like(pattern_chars.as_str(), name_chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_found() {
        let grants = Grants::read([
            "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*5'",
            "GRANT SELECT, INSERT (`a`, `b`), UPDATE ON `new\\_shop`.* TO `u`@`%`",
            "GRANT DELETE ON `new_shop`.`ca``rt` TO `u`@`%`",
            "GRANT `writer`@`%` TO `u`@`%`",
            "GRANT EXECUTE ON PROCEDURE `new_shop`.`p` TO `u`@`%`",
            "GRANT ALL PRIVILEGES ON `test%`.* TO `u`@`%` WITH GRANT OPTION",
        ]);
        for (privilege, database, table, has) in [
            ("SELECT", "new_shop", "cart", true),
            ("UPDATE", "new_shop", "cart", true),
            ("SELECT", "new-shop", "cart", false),
            ("INSERT", "new_shop", "cart", false),
            ("DELETE", "new_shop", "cart", false),
            ("DELETE", "new_shop", "ca`rt", true),
            ("EXECUTE", "new_shop", "p", false),
            ("DROP", "test_1", "x", true),
            ("DROP", "atest", "x", false),
        ] {
            let found = grants.has(privilege, database, table);
            assert_eq!(found, has, "{privilege} on {database}.{table}");
        }
    }

    #[test]
    fn what_was_taken_back_is_not_there() {
        let grants = Grants::read([
            "GRANT SELECT, INSERT, TRIGGER ON *.* TO `u`@`%`",
            "REVOKE INSERT ON `new`.* FROM `u`@`%`",
            "GRANT SELECT ON `new`.* TO `u`@`%`",
        ]);
        assert!(grants.has("INSERT", "old", "t"));
        assert!(!grants.has("INSERT", "new", "t"));
        assert!(grants.has("SELECT", "new", "t"));
        assert!(grants.has("TRIGGER", "new", "t"));
    }
}
