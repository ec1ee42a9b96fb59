//! The conclusions by their words, each once: `conclusion.why` of the document, and what the runbook
//! lists.

use serde::{Serialize, Serializer};

macro_rules! whys {
    ($($variant:ident => $word:literal,)*) => {
        /// Which line of the table a cart comes to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Why {
            $($variant,)*
        }

        impl Why {
            pub const ALL: &[Why] = &[$(Why::$variant,)*];

            pub fn word(self) -> &'static str {
                match self {
                    $(Why::$variant => $word,)*
                }
            }
        }
    };
}

whys! {
    Equal => "equal",
    Over => "over",
    Merged => "merged",
    Closed => "closed",
    WrittenInTarget => "written_in_target",
    StaleLookup => "stale_lookup",
    NotLive => "not_live",
    TargetOnly => "target_only",
    OnItsWay => "on_its_way",
    Moving => "moving",
    Wished => "wished",
    NotReadYet => "not_read_yet",
    OlderMapping => "older_mapping",
    Unknown => "unknown",
    Held => "held",
    Unmappable => "unmappable",
    OtherMapping => "other_mapping",
    Drift => "drift",
    DeletedInTarget => "deleted_in_target",
    LedgerBehind => "ledger_behind",
    NeverCame => "never_came",
    EndMissed => "end_missed",
    Resurrected => "resurrected",
    Lines => "lines",
    Token => "token",
    Sum => "sum",
    SourceAway => "source_away",
    TargetAway => "target_away",
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The words in the first column of the table under this heading.
    fn listed(page: &str, heading: &str) -> Vec<String> {
        let section = page.split("\n## ").find(|part| part.starts_with(heading));
        let rows = section.unwrap_or_default().lines();
        let cells = rows.filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        words
            .filter(|word| *word != "conclusion.why")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_runbook_lists_each_conclusion_once() {
        let page = include_str!("../../docs/runbook.md");
        let listed = listed(page, "Why is this cart different?");
        let words: BTreeSet<&str> = Why::ALL.iter().map(|why| why.word()).collect();
        let told: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
        assert_eq!(told, words);
        assert_eq!(
            listed.len(),
            words.len(),
            "one stands there twice: {listed:?}"
        );
        assert_eq!(Why::ALL.len(), words.len());
    }
}
