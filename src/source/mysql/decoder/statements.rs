//! What statements do to the group at hand, and what begins, prepares or ends one.

use bytes::Bytes;

use super::{
    Beginning, Decoder, Event, Group, Header, Named, Prepared, Query, Reader, SourceError,
    Statement, cells, gtid, statement,
};
use crate::cart::layout::Layout;
use crate::switch::{self, Mutant};

impl Decoder {
    pub(super) fn query(
        &mut self,
        header: &Header,
        query: Query,
        inner: bool,
    ) -> Result<(), SourceError> {
        let read = statement::read(&query.text);
        if self.group.is_none() && !inner {
            // A server that gives no ids.
            let beginning = Beginning {
                time: gtid::seconds(header),
                ..Beginning::default()
            };
            self.group = Some(Group::new(self.start_of(header), beginning, false));
        }
        let Some(group) = &mut self.group else {
            return Err(SourceError::Malformed("statement outside a transaction"));
        };
        group.session = Some(query.session);
        let mut ends = !group.open;
        match read {
            Statement::Begin => (group.open, ends) = (true, false),
            Statement::XaStart(xid) => {
                (group.open, ends) = (true, false);
                group.prepares = Some((xid, Prepared::default()));
            }
            Statement::Commit => ends = true,
            Statement::Rollback => {
                ends = true;
                if group.changes > 0 {
                    self.doubt("a transaction of the log was rolled back in part");
                }
            }
            Statement::Savepoint(name) => group.savepoint(name),
            Statement::RollbackTo(name) => {
                if group.undoes(&name) {
                    self.doubt("changes in the log were taken back");
                }
            }
            Statement::XaCommit(xid) => {
                ends = true;
                self.verdict(&xid)?;
            }
            Statement::XaRollback(xid) => {
                ends = true;
                self.waiting.take(&xid);
            }
            Statement::Truncate(table) => {
                if let Some(table) = self.named(&table, &query.database)
                    && !switch::mutant(Mutant::TruncateUnheard)
                {
                    self.tell(Event::Truncate(vec![table]));
                }
            }
            Statement::Define {
                tables,
                columns,
                anew,
            } => self.define(&tables, &query.database, &columns, anew)?,
            Statement::Swap(tables) => {
                let database = &query.database;
                if tables.iter().any(|t| self.named(t, database).is_some()) {
                    self.doubt("rows of a table were lost or replaced without being logged");
                }
            }
            Statement::DropDatabase(database) => {
                let tables = &self.known.layout.tables;
                let gone = tables.iter().filter(|t| t.schema == database);
                let gone = gone.map(|t| Named {
                    schema: None,
                    table: t.name.clone(),
                });
                self.define(&gone.collect::<Vec<_>>(), &database, &[], true)?;
            }
            Statement::Write { verb, tables } => {
                let database = &query.database;
                let hit = tables.iter().find_map(|table| self.named(table, database));
                if let Some(hit) = hit {
                    let table = &self.known.layout.tables[hit];
                    let what = format!("of {}.{}", table.schema, table.name);
                    self.refuse_statement(verb, what)?;
                }
            }
            Statement::Routine { verb } => {
                let tables = &self.known.layout;
                if tables.stored().any(|table| table.schema == query.database) {
                    self.refuse_statement(verb, "of a routine".to_owned())?;
                }
            }
            Statement::Other => {}
        }
        match ends {
            true => self.finish(),
            false => Ok(()),
        }
    }

    fn refuse_statement(&mut self, verb: String, what: String) -> Result<(), SourceError> {
        if switch::mutant(Mutant::StatementsPassed) {
            return Ok(());
        }
        let session = self.group.as_ref().and_then(|group| group.session);
        let at = self.shown();
        self.refuse(SourceError::Statement {
            verb,
            what,
            at,
            session,
        })
    }

    fn named(&self, table: &Named, database: &str) -> Option<usize> {
        let schema = table.schema.as_deref().unwrap_or(database);
        self.table(schema, &table.table)
    }

    /// A column of ours that was added or dropped has another value in every row, without a word of
    /// it: one that goes and comes again in the same type would pass for untouched.
    fn define(
        &mut self,
        tables: &[Named],
        database: &str,
        columns: &[String],
        anew: bool,
    ) -> Result<(), SourceError> {
        let hit: Vec<usize> = tables
            .iter()
            .filter_map(|table| self.named(table, database))
            .collect();
        let Some(first) = hit.first() else {
            return Ok(());
        };
        if !self.is_of_before() {
            let table = &self.known.layout.tables[*first];
            return Err(SourceError::Moved {
                table: format!("{}.{}", table.schema, table.name),
                at: self.shown(),
            });
        }
        for table in &hit {
            self.moved[*table] = true;
        }
        let ours = |name: &String| {
            let mut read = hit
                .iter()
                .flat_map(|t| &self.known.layout.tables[*t].columns);
            read.any(|column| column.name.eq_ignore_ascii_case(name))
        };
        if anew || columns.iter().any(ours) {
            self.doubt("a table was defined anew; its rows may be others");
        }
        Ok(())
    }

    /// XA_PREPARE_LOG_EVENT: whether it commits at once, then the transaction's name.
    pub(super) fn prepare(&mut self, body: &Bytes) -> Result<(), SourceError> {
        const WHAT: &str = "XA prepare";
        let at_once = Reader(body).u8(WHAT)? != 0;
        let prepares = self.group.as_mut().and_then(|group| group.prepares.take());
        let Some((xid, prepared)) = prepares else {
            return self.finish();
        };
        match at_once {
            true => self.commit(prepared),
            false => self.waiting.put(xid, prepared),
        }
        self.finish()
    }

    fn verdict(&mut self, xid: &str) -> Result<(), SourceError> {
        match self.waiting.take(xid) {
            // One that was prepared by another session is committed in the engine after its verdict
            // was logged, and in no order: without its id nobody can tell when that is.
            Some(prepared) if self.is_anonymous() && prepared.has_some() => {
                self.refuse(SourceError::Xa { at: self.shown() })?;
            }
            Some(prepared) => self.commit(prepared),
            None => {
                self.doubt("a transaction was committed that was prepared before reading began")
            }
        }
        Ok(())
    }

    fn is_anonymous(&self) -> bool {
        self.group
            .as_ref()
            .is_some_and(|group| group.gtid.is_none())
    }

    fn commit(&mut self, prepared: Prepared) {
        for change in prepared.changes {
            self.tell_change(change);
        }
        if prepared.unknown {
            self.tell_change(cells::hidden(Layout::HEADER, &self.known.layout));
        }
    }

    /// The server could not log something.
    pub(super) fn incident(&mut self, body: &Bytes) -> Result<(), SourceError> {
        const WHAT: &str = "incident";
        let mut r = Reader(body);
        r.skip(2, WHAT)?;
        let length = usize::from(r.u8(WHAT)?);
        let message = String::from_utf8_lossy(r.take(length, WHAT)?).into_owned();
        if self.group.is_none() {
            let begin = self.at.lsn();
            self.group = Some(Group::new(begin, Beginning::default(), false));
        }
        let at = self.shown();
        self.refuse(SourceError::Incident { at, message })?;
        self.finish()
    }
}
