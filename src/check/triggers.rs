//! Triggers of the target that write columns which the mapping writes too: cartage would then take
//! its own write for one of the new backend's (protocol rule 25).
//!
//! PL/pgSQL is read for assignments to `new.column`, and for UPDATEs of the tables of the mapping;
//! two functions that come with Postgres name the column in their arguments. What else a trigger
//! does cannot be known beforehand: that there is one is a warning.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};
use tokio_postgres::{Client, Error};

use super::report::{End, Report};
use crate::catalog::{Catalog, TableInfo};
use crate::config::{Config, Into};
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::switch::{self, Mutant};

/// Bits 2 to 4 of `tgtype` are INSERT, DELETE and UPDATE; `O` and `A` fire in an ordinary session.
const TRIGGERS: &str = "
    SELECT t.tgrelid, t.tgname, p.proname, p.prosrc, l.lanname, t.tgargs
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal
      AND t.tgenabled IN ('O', 'A') AND t.tgtype & 28 <> 0
    ORDER BY t.tgrelid, t.tgname";

pub async fn check(
    target: &Client,
    config: &Config,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), Error> {
    if switch::mutant(Mutant::TriggersTrusted) {
        return Ok(());
    }
    let oids: Vec<u32> = catalog.tables.iter().map(|t| t.oid).collect();
    for row in target.query(TRIGGERS, &[&oids]).await? {
        let oid: u32 = row.try_get(0)?;
        let Some(table) = catalog.tables.iter().find(|t| t.oid == oid) else {
            continue;
        };
        let source: &str = row.try_get(3)?;
        let arguments: &[u8] = row.try_get(5)?;
        let writes = match row.try_get(2)? {
            "moddatetime" | "tsvector_update_trigger" => first_argument(arguments)
                .map(|column| vec![(None, column)])
                .unwrap_or_default(),
            _ if row.try_get::<_, &str>(4)? == "plpgsql" => writes_of(source),
            _ => Vec::new(),
        };
        let trigger: &str = row.try_get(1)?;
        for (written, column) in writes {
            let written = match &written {
                None => Some(table),
                Some(name) => catalog.find(name),
            };
            if let Some(written) = written {
                compare(
                    config,
                    catalog,
                    (table, trigger),
                    (written, &column),
                    report,
                );
            }
        }
    }
    Ok(())
}

fn compare(
    config: &Config,
    catalog: &Catalog,
    (table, trigger): (&TableInfo, &str),
    (written, column): (&TableInfo, &str),
    report: &mut Report,
) {
    let is_ours = |into: &&Into| {
        let named = |c: &&crate::config::Column| c.name.get_ref() == column && !c.once;
        catalog.find(into.table.get_ref()).map(|t| t.oid) == Some(written.oid)
            && (into.columns.iter().any(|c| named(&c)) || set_by_fate(into, column))
    };
    if config.into.iter().any(|into| is_ours(&into)) {
        report.fail(
            "triggers",
            End::Target,
            format!(
                "the trigger {trigger} of {} writes {}.{}, which the mapping writes too: the cart \
                 would look as if the new backend had changed it; leave the column out of the \
                 mapping, write it {{ once = … }}, or have the trigger pass by for cartage's role \
                 (WHEN (current_user <> …))",
                quoted(&table.schema, &table.name),
                quoted(&written.schema, &written.name),
                quoted_name(column)
            ),
            None,
        );
    }
}

fn set_by_fate(into: &Into, column: &str) -> bool {
    let sets = |fate: &Option<crate::config::Fate>| match fate {
        Some(crate::config::Fate::Set(set)) => set.iter().any(|(name, _)| name.get_ref() == column),
        _ => false,
    };
    sets(&into.ended) || sets(&into.deleted)
}

/// `tgargs` holds each argument with a zero byte behind it.
fn first_argument(arguments: &[u8]) -> Option<String> {
    let first = arguments.split(|byte| *byte == 0).next()?;
    let text = std::str::from_utf8(first).ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The columns that a PL/pgSQL function writes: of the trigger's own row, where no table is named.
fn writes_of(source: &str) -> Vec<(Option<String>, String)> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, source).tokenize() else {
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

/// `:=` assigns anywhere, `=` where a statement begins.
fn assigned(before: &[Token], operator: Option<&Token>) -> bool {
    let begins = match before.last() {
        None | Some(Token::SemiColon) => true,
        Some(word) => ["begin", "then", "else", "loop"]
            .iter()
            .any(|w| is(word, w)),
    };
    match operator {
        Some(Token::Assignment) => true,
        Some(Token::Eq) => begins,
        _ => false,
    }
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
fn updated(tokens: &[Token]) -> Vec<(Option<String>, String)> {
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
    use super::*;

    #[track_caller]
    fn finds(source: &str, expected: &[&str]) {
        let found: Vec<String> = writes_of(source)
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
