//! What a statement in the log does to the tables of a mapping. Rows that a statement changes are
//! logged as rows; statements are there for what begins and ends transactions, for the definition of
//! tables, and where a session does not log rows.

mod tokens;

use self::tokens::{Token, tokens};

/// A table as a statement names it; without a schema it is in the session's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub schema: Option<String>,
    pub table: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    RollbackTo(String),
    /// With what names the transaction.
    XaStart(String),
    XaCommit(String),
    XaRollback(String),
    /// The table is empty now.
    Truncate(Named),
    /// These tables may have other columns now. `anew`: or other rows, or other values in them. And
    /// in `columns`, which were added or dropped, every row has another value.
    Define {
        tables: Vec<Named>,
        columns: Vec<String>,
        anew: bool,
    },
    /// Rows of these tables were lost or replaced without being logged.
    Swap(Vec<Named>),
    /// All tables of a database are gone.
    DropDatabase(String),
    /// Changes rows of these tables, and logs no rows. `verb` says what it is.
    Write {
        verb: String,
        tables: Vec<Named>,
    },
    /// Runs a routine, which may have changed anything, without logging rows.
    Routine {
        verb: String,
    },
    /// Nothing that matters here.
    Other,
}

/// The name of an XA transaction in one spelling: its bytes are letters here.
pub fn xid(global: &[u8], branch: &[u8], format: u32) -> String {
    let letters = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
    format!("{}\0{}\0{format}", letters(global), letters(branch))
}

/// Reads a statement; `is_set_for` statements of MariaDB hold another one.
pub fn read(text: &str) -> Statement {
    let tokens = tokens(text);
    let mut words = Words(&tokens);
    if words.eat(&["SET", "STATEMENT"]) {
        words.skip_to(&["FOR"]);
        words.next();
    }
    if words.at(&["WITH"]) {
        words.skip_to(&["UPDATE", "DELETE", "INSERT", "REPLACE"]);
    }
    statement(words).unwrap_or(Statement::Other)
}

fn statement(mut words: Words<'_>) -> Option<Statement> {
    let verb = words.next()?.name()?.to_ascii_uppercase();
    Some(match verb.as_str() {
        "BEGIN" => Statement::Begin,
        "START" if words.at(&["TRANSACTION"]) => Statement::Begin,
        "COMMIT" => Statement::Commit,
        "ROLLBACK" => {
            words.eat(&["WORK"]);
            match words.eat(&["TO"]) {
                true => {
                    words.eat(&["SAVEPOINT"]);
                    Statement::RollbackTo(words.next()?.name()?.to_owned())
                }
                false => Statement::Rollback,
            }
        }
        "SAVEPOINT" => Statement::Savepoint(words.next()?.name()?.to_owned()),
        "XA" => {
            let what = words.next()?.name()?.to_ascii_uppercase();
            let xid = words.xid();
            match what.as_str() {
                "START" | "BEGIN" => Statement::XaStart(xid),
                "COMMIT" => Statement::XaCommit(xid),
                "ROLLBACK" => Statement::XaRollback(xid),
                _ => Statement::Other,
            }
        }
        "TRUNCATE" => {
            words.eat(&["TABLE"]);
            Statement::Truncate(words.table()?)
        }
        "ALTER" => alter(words)?,
        "DROP" => drop(words)?,
        "CREATE" => {
            words.eat(&["OR", "REPLACE"]);
            if !words.eat(&["TABLE"]) {
                return None;
            }
            words.eat(&["IF", "NOT", "EXISTS"]);
            anew(vec![words.table()?])
        }
        "RENAME" => {
            if !words.eat(&["TABLE"]) && !words.eat(&["TABLES"]) {
                return None;
            }
            words.eat(&["IF", "EXISTS"]);
            anew(words.tables())
        }
        "INSERT" | "REPLACE" => {
            while words.eat(&["LOW_PRIORITY"])
                || words.eat(&["DELAYED"])
                || words.eat(&["HIGH_PRIORITY"])
                || words.eat(&["IGNORE"])
                || words.eat(&["INTO"])
            {}
            let tables = vec![words.table()?];
            Statement::Write { verb, tables }
        }
        "LOAD" => {
            words.skip_to(&["INTO"]);
            words.next();
            words.eat(&["TABLE"]);
            let tables = vec![words.table()?];
            Statement::Write { verb, tables }
        }
        "UPDATE" => Statement::Write {
            verb,
            tables: words.upto(&["SET"]).tables(),
        },
        "DELETE" => {
            let mut all = Words(words.0);
            all.eat(&["FROM"]);
            if let Some(table) = all.table()
                && matches!(all.0, [] | [Token::Sign(';')])
            {
                // What a server logs of a table in memory that it has lost.
                return Some(Statement::Truncate(table));
            }
            Statement::Write {
                verb,
                tables: words
                    .upto(&["WHERE", "ORDER", "LIMIT", "RETURNING"])
                    .tables(),
            }
        }
        "CALL" | "SELECT" | "DO" => Statement::Routine { verb },
        _ => Statement::Other,
    })
}

/// Tables of which nothing is what it was.
fn anew(tables: Vec<Named>) -> Statement {
    Statement::Define {
        tables,
        columns: Vec::new(),
        anew: true,
    }
}

fn alter(mut words: Words<'_>) -> Option<Statement> {
    // With IGNORE, rows that a new unique index does not bear are lost without a word (MariaDB).
    let mut lossy = false;
    while words.eat(&["ONLINE"]) || words.eat(&["OFFLINE"]) || words.at(&["IGNORE"]) {
        lossy |= words.eat(&["IGNORE"]);
    }
    if !words.eat(&["TABLE"]) {
        return None;
    }
    words.eat(&["IF", "EXISTS"]);
    let table = words.table()?;
    // Without a row in the log, these lose rows or bring others.
    const SWAPS: [&[&str]; 6] = [
        &["TRUNCATE", "PARTITION"],
        &["DROP", "PARTITION"],
        &["EXCHANGE", "PARTITION"],
        &["CONVERT", "PARTITION"],
        &["CONVERT", "TABLE"],
        &["IMPORT", "TABLESPACE"],
    ];
    let mut rest = Words(words.0);
    while !rest.0.is_empty() {
        if SWAPS.iter().any(|swap| rest.at(swap)) {
            // The table whose rows come or go with a partition's is named after the word.
            let mut tables = vec![table];
            while rest.next().is_some() {
                if rest.eat(&["TABLE"]) {
                    tables.extend(rest.table());
                }
            }
            return Some(Statement::Swap(tables));
        }
        rest.next();
    }
    let mut tables = vec![table];
    let (mut defines, mut anew, mut columns) = (lossy, lossy, Vec::new());
    while !words.0.is_empty() {
        if words.at(&["RENAME"]) && !words.renames_a_part() {
            words.next();
            if !words.eat(&["TO"]) && !words.eat(&["AS"]) {
                words.eat_sign('=');
            }
            tables.extend(words.table());
            (defines, anew) = (true, true);
        } else if CHANGES.iter().any(|change| words.eat(change)) {
            (defines, anew) = (true, true);
        } else if INDEXES.iter().any(|index| words.eat(index)) {
            // Nothing of the rows.
        } else if words.eat(&["ADD"]) || words.eat(&["DROP"]) {
            defines = true;
            columns.extend(words.columns());
        } else {
            words.next();
        }
    }
    defines.then_some(Statement::Define {
        tables,
        columns,
        anew,
    })
}

/// Parts of ALTER TABLE that give rows other values, or columns other names.
const CHANGES: [&[&str]; 7] = [
    &["MODIFY"],
    &["CHANGE"],
    &["CONVERT", "TO"],
    &["RENAME", "COLUMN"],
    &["CHARACTER", "SET"],
    &["CHARSET"],
    &["SYSTEM", "VERSIONING"],
];

/// Parts that add or drop what is no column.
const INDEXES: [&[&str]; 16] = [
    &["ADD", "INDEX"],
    &["ADD", "KEY"],
    &["ADD", "UNIQUE"],
    &["ADD", "FULLTEXT"],
    &["ADD", "SPATIAL"],
    &["ADD", "CONSTRAINT"],
    &["ADD", "FOREIGN"],
    &["ADD", "PRIMARY"],
    &["ADD", "CHECK"],
    &["ADD", "PARTITION"],
    &["DROP", "INDEX"],
    &["DROP", "KEY"],
    &["DROP", "CONSTRAINT"],
    &["DROP", "FOREIGN"],
    &["DROP", "PRIMARY"],
    &["DROP", "CHECK"],
];

fn drop(mut words: Words<'_>) -> Option<Statement> {
    if words.eat(&["DATABASE"]) || words.eat(&["SCHEMA"]) {
        words.eat(&["IF", "EXISTS"]);
        return Some(Statement::DropDatabase(words.next()?.name()?.to_owned()));
    }
    if !words.eat(&["TABLE"]) && !words.eat(&["TABLES"]) {
        return None;
    }
    words.eat(&["IF", "EXISTS"]);
    Some(anew(words.tables()))
}

/// The tokens that are left.
struct Words<'a>(&'a [Token]);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Whether these keywords come next.
    fn at(&self, keywords: &[&str]) -> bool {
        let here = self.0.get(..keywords.len()).unwrap_or_default();
        here.len() == keywords.len() && here.iter().zip(keywords).all(|(token, k)| token.is(k))
    }

    fn eat(&mut self, keywords: &[&str]) -> bool {
        let here = self.at(keywords);
        if here {
            self.0 = &self.0[keywords.len()..];
        }
        here
    }

    fn eat_sign(&mut self, sign: char) -> bool {
        let here = self.0.first() == Some(&Token::Sign(sign));
        if here {
            self.0 = &self.0[1..];
        }
        here
    }

    /// Goes to the first of these keywords that is in no parentheses.
    fn skip_to(&mut self, keywords: &[&str]) {
        self.0 = &self.0[self.upto(keywords).0.len()..];
    }

    /// What stands before that.
    fn upto(&self, keywords: &[&str]) -> Words<'a> {
        let mut depth = 0_usize;
        let end = self.0.iter().position(|token| {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && keywords.iter().any(|keyword| token.is(keyword))
        });
        Words(&self.0[..end.unwrap_or(self.0.len())])
    }

    fn table(&mut self) -> Option<Named> {
        let first = self.next()?.name()?.to_owned();
        if !self.eat_sign('.') {
            return Some(Named {
                schema: None,
                table: first,
            });
        }
        Some(Named {
            schema: Some(first),
            table: self.next()?.name()?.to_owned(),
        })
    }

    /// All names that could be those of tables.
    fn tables(mut self) -> Vec<Named> {
        let mut tables = Vec::new();
        while let Some(token) = self.0.first() {
            match token.name() {
                Some(_) => tables.extend(self.table()),
                None => {
                    self.next();
                }
            }
        }
        tables
    }

    /// What is added or dropped here: a name, or in parentheses one or more with all that defines
    /// them. Rather too many names than too few.
    fn columns(&self) -> Vec<String> {
        let mut words = Words(self.0);
        words.eat(&["COLUMN"]);
        words.eat(&["IF", "NOT", "EXISTS"]);
        words.eat(&["IF", "EXISTS"]);
        let mut names = Vec::new();
        let mut depth = 0_usize;
        while let Some(token) = words.next() {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth = depth.saturating_sub(1),
                _ => names.extend(token.name().map(str::to_owned)),
            }
            if depth == 0 {
                break;
            }
        }
        names
    }

    /// `RENAME COLUMN`, `RENAME INDEX`, `RENAME KEY`: the table keeps its name.
    fn renames_a_part(&self) -> bool {
        ["COLUMN", "INDEX", "KEY"]
            .iter()
            .any(|part| self.at(&["RENAME", part]))
    }

    /// The three parts of an XA transaction's name, spelled in one way.
    fn xid(&mut self) -> String {
        let mut parts = [String::new(), String::new(), "1".to_owned()];
        let mut part = 0;
        while let Some(token) = self.next() {
            match token {
                Token::Text(text) | Token::Name(text) => parts[part].clone_from(text),
                Token::Word(word) if word.bytes().all(|b| b.is_ascii_digit()) => {
                    parts[part].clone_from(word);
                }
                Token::Sign(',') if part < 2 => part += 1,
                _ => break,
            }
        }
        parts.join("\0")
    }
}

#[cfg(test)]
mod tests;
