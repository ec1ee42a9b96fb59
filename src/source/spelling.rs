//! Positions in the source's log as people read and write them.

use serde_json::Value;

use super::change::{Lsn, NotAnLsn};
use super::mysql::place::{Base, NotAPlace};

/// How the source itself writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `16/B374D848`.
    #[default]
    Postgres,
    /// `binlog.000007:1234`.
    Binlog(Base),
}

#[derive(Debug, thiserror::Error)]
pub enum NotAPosition {
    #[error(transparent)]
    Postgres(#[from] NotAnLsn),
    #[error(transparent)]
    Binlog(#[from] NotAPlace),
}

impl Spelling {
    /// By the state of the source that is stored with the pipeline: for looking, the source need not
    /// be there.
    pub fn of(state: Option<&Value>) -> Self {
        let base = state.and_then(|state| state.get("base")?.as_str());
        base.map_or(Self::Postgres, |base| Self::Binlog(Base::new(base)))
    }

    pub fn show(&self, position: Lsn) -> String {
        match self {
            Self::Postgres => position.to_string(),
            Self::Binlog(base) => base.show(position).to_string(),
        }
    }

    pub fn read(&self, text: &str) -> Result<Lsn, NotAPosition> {
        match self {
            Self::Postgres => Ok(text.parse()?),
            Self::Binlog(base) => Ok(base.read(text)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_is_read() {
        let postgres = Spelling::of(Some(&json!({ "tables": {} })));
        let binlog = Spelling::of(Some(&json!({ "base": "shop-bin" })));
        let at = Lsn(7 << 32 | 1234);
        assert_eq!(postgres.show(at), "7/4D2");
        assert_eq!(binlog.show(at), "shop-bin.000007:1234");
        for spelling in [postgres, binlog] {
            assert_eq!(spelling.read(&spelling.show(at)).expect("a position"), at);
            assert!(spelling.read("7:1234").is_err());
        }
    }
}
