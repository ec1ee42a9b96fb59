//! Triggers of the target that write columns which the mapping writes too: cartage would then take
//! its own write for one of the new backend's (protocol rule 25).
//!
//! Their text is read for assignments to `new.column`, and for UPDATEs of the tables of the mapping.
//! What else a trigger does cannot be known beforehand: that there is one is a warning.

use sqlparser::dialect::Dialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::report::{End, Report};
use super::spell::Spell;
use crate::catalog::{Catalog, TableInfo};
use crate::config::{Config, Into, Kind};

/// A column that is written, and its table where that is not the trigger's own.
pub type Write = (Option<String>, String);

/// A trigger of a table of the target.
pub struct Trigger<'a> {
    pub config: &'a Config,
    pub catalog: &'a Catalog,
    pub table: &'a TableInfo,
    pub name: &'a str,
}

impl Trigger<'_> {
    /// Of what it writes, what the mapping writes too.
    pub fn judge(&self, writes: &[Write], report: &mut Report) {
        for (table, column) in writes {
            let written = match table {
                None => Some(self.table),
                Some(name) => self.catalog.find(name),
            };
            if let Some(written) = written
                && self
                    .config
                    .into
                    .iter()
                    .any(|into| self.is_ours(into, written, column))
            {
                self.tell(written, column, report);
            }
        }
    }

    fn is_ours(&self, into: &Into, written: &TableInfo, column: &str) -> bool {
        // Names of columns have no case in MySQL.
        let named = |name: &str| match self.config.target.kind {
            Kind::Postgres => name == column,
            Kind::Mysql => name.eq_ignore_ascii_case(column),
        };
        let table = self.catalog.find(into.table.get_ref());
        table.is_some_and(|table| std::ptr::eq(table, written))
            && (into
                .columns
                .iter()
                .any(|c| named(c.name.get_ref()) && !c.once)
                || set_by_fate(into, named))
    }

    fn tell(&self, written: &TableInfo, column: &str, report: &mut Report) {
        let spell = Spell(self.config.target.kind);
        let pass_by = match spell.0 {
            Kind::Postgres => "role (WHEN (current_user <> …))",
            Kind::Mysql => "user (IF user() NOT LIKE '…@%')",
        };
        report.fail(
            "triggers",
            End::Target,
            format!(
                "the trigger {} of {} writes {}.{}, which the mapping writes too: the cart would \
                 look as if the new backend had changed it; leave the column out of the mapping, \
                 write it {{ once = … }}, or have the trigger pass by for cartage's {pass_by}",
                self.name,
                spell.table(self.table),
                spell.table(written),
                spell.column(column)
            ),
            None,
        );
    }
}

fn set_by_fate(into: &Into, named: impl Fn(&str) -> bool) -> bool {
    let sets = |fate: &Option<crate::config::Fate>| match fate {
        Some(crate::config::Fate::Set(set)) => set.iter().any(|(name, _)| named(name.get_ref())),
        _ => false,
    };
    sets(&into.ended) || sets(&into.deleted)
}

/// The columns that a trigger writes: of its own row, where no table is named.
pub fn writes_of(dialect: &dyn Dialect, source: &str) -> Vec<Write> {
    let Ok(tokens) = Tokenizer::new(dialect, source).tokenize() else {
        return Vec::new();
    };
    let tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| {
            !matches!(
                token,
                Token::Whitespace(
                    Whitespace::Space
                        | Whitespace::Newline
                        | Whitespace::Tab
                        | Whitespace::SingleLineComment { .. }
                        | Whitespace::MultiLineComment(_)
                )
            )
        })
        .collect();
    let mut writes = Vec::new();
    for at in 0..tokens.len() {
        if let Some(column) = column_of_new(&tokens[at..])
            && (assigned(&tokens[..at], tokens.get(at + 3)) || taken_into(&tokens[..at]))
        {
            writes.push((None, column));
        }
        if is(&tokens[at], "update") {
            writes.extend(updated(&tokens[at + 1..]));
        }
    }
    writes
}

/// `new.column`
fn column_of_new(tokens: &[Token]) -> Option<String> {
    match tokens {
        [new, Token::Period, Token::Word(column), ..] if is(new, "new") => Some(name(column)),
        _ => None,
    }
}

/// `:=` assigns anywhere, `=` where a statement begins, and in a `SET`.
fn assigned(before: &[Token], operator: Option<&Token>) -> bool {
    let begins = match before.last() {
        None | Some(Token::SemiColon) => true,
        Some(Token::Comma) => follows_set(before),
        Some(word) => ["begin", "then", "else", "loop", "set"]
            .iter()
            .any(|w| is(word, w)),
    };
    match operator {
        Some(Token::Assignment) => true,
        Some(Token::Eq) => begins,
        _ => false,
    }
}

/// `SET …,`, with nothing left open.
fn follows_set(before: &[Token]) -> bool {
    let mut depth = 0;
    for token in before.iter().rev() {
        match token {
            Token::RParen => depth += 1,
            Token::LParen => depth -= 1,
            Token::SemiColon => return false,
            word if depth == 0 && is(word, "set") => return true,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    false
}

/// `INTO [STRICT] …, new.column`
fn taken_into(before: &[Token]) -> bool {
    let mut before = before.iter().rev();
    loop {
        match before.next() {
            Some(Token::Comma | Token::Period) => {}
            Some(word @ Token::Word(_)) if is(word, "into") => return true,
            Some(Token::Word(_)) => {}
            _ => return false,
        }
    }
}

/// The columns that `[ONLY] [schema.]table [[AS] alias] SET …` sets.
fn updated(tokens: &[Token]) -> Vec<Write> {
    let mut rest = tokens.iter().skip_while(|t| is(t, "only")).peekable();
    let Some(Token::Word(first)) = rest.next() else {
        return Vec::new();
    };
    let mut table = name(first);
    if rest.next_if(|t| **t == Token::Period).is_some()
        && let Some(Token::Word(second)) = rest.next()
    {
        table = format!("{table}.{}", name(second));
    }
    let mut rest = rest.skip_while(|t| matches!(t, Token::Word(_)) && !is(t, "set"));
    if !rest.next().is_some_and(|t| is(t, "set")) {
        return Vec::new();
    }
    let (mut depth, mut columns, mut target) = (0, Vec::new(), true);
    for token in rest {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::SemiColon => break,
            Token::Word(_)
                if depth == 0 && ["where", "from", "returning"].iter().any(|w| is(token, w)) =>
            {
                break;
            }
            Token::Comma if depth == 0 => target = true,
            Token::Eq => target = false,
            Token::Word(word) if target => columns.push((Some(table.clone()), name(word))),
            _ => {}
        }
    }
    columns
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

/// A name as the catalog has it.
fn name(word: &sqlparser::tokenizer::Word) -> String {
    match word.quote_style {
        Some(_) => word.value.clone(),
        None => word.value.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect};

    use super::*;

    #[track_caller]
    fn finds(source: &str, expected: &[&str]) {
        finds_in(&PostgreSqlDialect {}, source, expected);
    }

    #[track_caller]
    fn finds_in(dialect: &dyn Dialect, source: &str, expected: &[&str]) {
        let found: Vec<String> = writes_of(dialect, source)
            .into_iter()
            .map(|(table, column)| table.map_or(column.clone(), |t| format!("{t}:{column}")))
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn assignments_to_the_new_row_are_found() {
        finds(
            "BEGIN NEW.updated_at := now(); RETURN NEW; END",
            &["updated_at"],
        );
        finds(
            "BEGIN IF old.a = new.a THEN new.\"B\" = 1; END IF; RETURN new; END",
            &["B"],
        );
        finds(
            "BEGIN SELECT a, b INTO STRICT x, new.c FROM t; RETURN new; END",
            &["c"],
        );
        finds(
            "DECLARE a int := new.b; BEGIN -- new.c := 1\n RAISE NOTICE 'new.d := 1'; END",
            &[],
        );
        finds(
            "BEGIN IF x <> 1 OR new.a = 2 THEN RETURN new; END IF; RETURN new; END",
            &[],
        );
    }

    #[test]
    fn assignments_in_mysql_are_found() {
        let finds = |source: &str, expected: &[&str]| {
            finds_in(&MySqlDialect {}, source, expected);
        };
        finds("SET NEW.updated_at = now(6)", &["updated_at"]);
        finds(
            "BEGIN SET @a = NEW.x, NEW.`B` = if(NEW.y = 1, 2, 3), NEW.c := 4; # NEW.d = 5\n END",
            &["B", "c"],
        );
        finds(
            "SET @a = f(1, NEW.x = 2); UPDATE `shop`.`cart` SET total = NEW.y, n = 1",
            &["shop.cart:total", "shop.cart:n"],
        );
        finds("IF NEW.a = 1 THEN SET NEW.b = 2; END IF", &["b"]);
    }

    #[test]
    fn updates_of_tables_are_found() {
        finds(
            "BEGIN UPDATE cart AS c SET total = (SELECT sum(a) FROM l WHERE l.b = 1), n = c.n + 1
             WHERE c.id = new.cart_id; RETURN NULL; END",
            &["cart:total", "cart:n"],
        );
        finds(
            "BEGIN UPDATE ONLY shop.cart SET (a, \"B\") = (1, x); UPDATE t SET c = 1; END",
            &["shop.cart:a", "shop.cart:B", "t:c"],
        );
        finds(
            "BEGIN INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1; END",
            &[],
        );
    }
}
