//! The numbers that the new backend gives by itself: whether they are ahead of those that came over
//! with the carts, and moving them there, never back.

pub mod mysql;
pub mod postgres;

use serde_json::{Value, json};

use crate::mapping::plan::Mapping;
use crate::source::{AskError, Source};
use crate::switch::{self, Mutant};
use crate::target::error::TargetError;
use crate::target::session::Target;

#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    #[error("source: {0}")]
    Source(#[from] AskError),
    #[error("target: {0}")]
    Target(#[from] TargetError),
}

/// A column of the target that the mapping writes, and that its server can number by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub schema: String,
    pub table: String,
    pub name: String,
    /// The source's column (schema, table, column) whose value is copied into it as it is.
    pub from: Option<(String, String, String)>,
}

/// What the source says of its own counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Theirs {
    /// There is none, or what is written here is no copy of it.
    None,
    Last(i128),
    /// It may not be read; this lets us.
    Hidden(String),
}

/// How a counter stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub column: Column,
    /// As people call it.
    pub counter: String,
    /// The last number that it gave. None where it gave none, or may not be read.
    pub own: Option<i128>,
    pub source: Theirs,
    /// The greatest number in the table.
    pub greatest: Option<i128>,
    /// Where it must stand, if it does not.
    pub to: Option<i128>,
    /// Why we cannot move it, with the statement for whoever can.
    pub refused: Option<String>,
    pub moved: bool,
}

impl Standing {
    pub fn is_well(&self) -> bool {
        let hidden = matches!(self.source, Theirs::Hidden(_));
        self.refused.is_none() && !hidden && (self.to.is_none() || self.moved)
    }

    pub fn json(&self) -> Value {
        let (source, hidden) = match &self.source {
            Theirs::None => (None, None),
            Theirs::Last(last) => (Some(*last), None),
            Theirs::Hidden(mend) => (None, Some(mend)),
        };
        let number = |n: Option<i128>| n.map(|n| json!(n));
        json!({
            "table": format!("{}.{}", self.column.schema, self.column.table),
            "column": self.column.name,
            "sequence": self.counter,
            "own": number(self.own),
            "source": number(source),
            "source_hidden": hidden,
            "greatest": number(self.greatest),
            "to": number(self.to),
            "moved": self.moved,
            "refused": self.refused,
        })
    }

    pub fn text(&self) -> String {
        let number = |n: Option<i128>| n.map_or("none".to_owned(), |n| n.to_string());
        let source = match &self.source {
            Theirs::None => "none".to_owned(),
            Theirs::Last(last) => last.to_string(),
            Theirs::Hidden(_) => "not to be read".to_owned(),
        };
        let verdict = match (self.to, self.moved) {
            (None, _) => "ahead of all".to_owned(),
            (Some(to), true) => format!("moved to {to}"),
            (Some(to), false) => format!("BEHIND: to be moved to {to}"),
        };
        let mut text = format!(
            "{}  gave {}, the source gave {source}, greatest {} in the table  {verdict}\n",
            self.counter,
            number(self.own),
            number(self.greatest),
        );
        if let Some(why) = &self.refused {
            text.push_str(&format!("    {why}\n"));
        }
        if let Theirs::Hidden(mend) = &self.source {
            text.push_str(&format!(
                "    how far the source's numbers are is not known; this lets cartage see: {mend}\n"
            ));
        }
        text
    }
}

/// The columns that the mapping writes, each once.
pub fn columns(mapping: &Mapping) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for into in &mapping.intos {
        let table = &mapping.layout.tables[into.per];
        let stored = mapping.layout.stored().any(|t| t.alias == table.alias);
        let keys = into.key.iter().map(|key| (&key.name, Some(&key.expr)));
        let others = into.columns.iter().map(|c| (&c.name, c.expr.as_ref()));
        for (name, expr) in keys.chain(others) {
            let is_copy = |at: &usize| expr.is_some_and(|e| e.is_column(into.per, *at));
            let at = (0..table.columns.len()).find(is_copy).filter(|_| stored);
            let from = at.map(|at| {
                let column = table.columns[at].name.clone();
                (table.schema.clone(), table.name.clone(), column)
            });
            let column = Column {
                schema: into.schema.clone(),
                table: into.table.clone(),
                name: name.clone(),
                from,
            };
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    columns
}

/// The counters behind these columns, each beside the source's and the table's greatest.
pub async fn look(
    source: &Source,
    target: &Target,
    mapping: &Mapping,
) -> Result<Vec<Standing>, SequenceError> {
    let mut all = Vec::new();
    for column in columns(mapping) {
        let names = (&*column.schema, &*column.table, &*column.name);
        let is_counted = match target {
            Target::Postgres(client) => {
                let found = postgres::of(client, names).await;
                found.map_err(TargetError::from)?.is_some()
            }
            Target::Mysql(session) => mysql::own(session, names).await?.is_some(),
        };
        if !is_counted {
            continue;
        }
        let source = theirs(source, column.from.as_ref()).await?;
        all.push(match target {
            Target::Postgres(client) => postgres::stand(client, column, source).await?,
            Target::Mysql(session) => mysql::stand(session, column, source).await?,
        });
    }
    Ok(all)
}

/// Moves a counter that is behind, with what it must be ahead of looked at again where nobody can be
/// given a number meanwhile.
pub async fn advance(target: &Target, standing: Standing) -> Result<Standing, SequenceError> {
    if standing.to.is_none() || standing.refused.is_some() {
        return Ok(standing);
    }
    Ok(match target {
        Target::Postgres(client) => postgres::advance(client, standing).await?,
        Target::Mysql(session) => mysql::advance(session, standing).await?,
    })
}

async fn theirs(
    source: &Source,
    from: Option<&(String, String, String)>,
) -> Result<Theirs, SequenceError> {
    let Some((schema, table, column)) = from else {
        return Ok(Theirs::None);
    };
    let names = (&**schema, &**table, &**column);
    Ok(match source {
        Source::Postgres(client) => {
            let found = postgres::of(client, names).await.map_err(AskError::from)?;
            found.map_or(Theirs::None, |sequence| sequence.theirs())
        }
        Source::Mysql(session) => mysql::theirs(session, names).await?,
    })
}

/// The first number from `least` on that a counter gives which has given, or is to give, `given`.
fn reach(given: i128, step: i128, least: i128) -> i128 {
    match least <= given && !switch::mutant(Mutant::CountersBack) {
        true => given,
        false => given + (least - given + step - 1) / step * step,
    }
}

/// Whether a counter that gives `next` next would give what is there already.
fn is_behind(next: i128, floor: i128) -> bool {
    floor >= next || switch::mutant(Mutant::CountersBack)
}

/// The greatest that a counter must be ahead of.
fn floor(source: &Theirs, greatest: Option<i128>) -> Option<i128> {
    let source = match source {
        Theirs::Last(_) if switch::mutant(Mutant::SourceUncounted) => None,
        Theirs::Last(last) => Some(*last),
        Theirs::None | Theirs::Hidden(_) => None,
    };
    source.max(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_keeps_its_steps() {
        assert_eq!(reach(1, 1, 40), 40);
        // Odd numbers stay odd ones.
        assert_eq!(reach(7, 2, 40), 41);
        assert_eq!(reach(7, 2, 41), 41);
        assert_eq!(reach(50, 2, 41), 50);
        assert_eq!(reach(-5, 10, 1), 5);
    }

    #[test]
    fn the_greatest_of_both_counts() {
        assert_eq!(floor(&Theirs::Last(9), Some(4)), Some(9));
        assert_eq!(floor(&Theirs::Last(3), Some(4)), Some(4));
        assert_eq!(floor(&Theirs::Hidden(String::new()), Some(4)), Some(4));
        assert_eq!(floor(&Theirs::None, None), None);
    }
}
