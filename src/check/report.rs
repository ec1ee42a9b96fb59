//! What the checks found: for people, for machines, and as the statements that mend it.

use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Warn,
    Fail,
    /// What `setup` will create.
    Todo,
    /// Nothing is wrong with it, and it is worth knowing.
    Note,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::Todo => "todo",
            Verdict::Note => "note",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Config,
    Source,
    Target,
}

impl End {
    pub fn word(self) -> &'static str {
        match self {
            End::Config => "config",
            End::Source => "source",
            End::Target => "target",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check; several findings may share it.
    pub check: &'static str,
    pub end: End,
    pub verdict: Verdict,
    pub message: String,
    /// The statement that mends it, to be run on that end.
    pub sql: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Report {
    pub pipeline: String,
    pub findings: Vec<Finding>,
    /// What of the new shop's changes could not be carried back to the old one.
    pub rollback: Vec<Lost>,
}

/// A source column that the mapping reads and that cannot be told back from the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub table: String,
    pub column: String,
    /// Each target column that is made of it, and why it cannot be told back from that.
    pub because: Vec<(String, String)>,
}

impl Report {
    pub fn new(pipeline: &str) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            findings: Vec::new(),
            rollback: Vec::new(),
        }
    }

    fn add(
        &mut self,
        verdict: Verdict,
        check: &'static str,
        end: End,
        message: impl Into<String>,
        sql: Option<String>,
    ) {
        self.findings.push(Finding {
            check,
            end,
            verdict,
            message: message.into(),
            sql,
        });
    }

    pub fn pass(&mut self, check: &'static str, end: End, message: impl Into<String>) {
        self.add(Verdict::Pass, check, end, message, None);
    }

    pub fn warn(
        &mut self,
        check: &'static str,
        end: End,
        message: impl Into<String>,
        sql: Option<String>,
    ) {
        self.add(Verdict::Warn, check, end, message, sql);
    }

    pub fn fail(
        &mut self,
        check: &'static str,
        end: End,
        message: impl Into<String>,
        sql: Option<String>,
    ) {
        self.add(Verdict::Fail, check, end, message, sql);
    }

    pub fn todo(&mut self, check: &'static str, end: End, message: impl Into<String>) {
        self.add(Verdict::Todo, check, end, message, None);
    }

    pub fn note(&mut self, check: &'static str, end: End, message: impl Into<String>) {
        self.add(Verdict::Note, check, end, message, None);
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings
            .iter()
            .filter(|f| f.verdict == verdict)
            .count()
    }

    /// Nothing failed; warnings and what is still to do are well.
    pub fn is_well(&self) -> bool {
        self.count(Verdict::Fail) == 0
    }

    pub fn text(&self) -> String {
        self.text_of(|_| true)
    }

    /// The text without what is well.
    pub fn complaints(&self) -> String {
        self.text_of(|verdict| !matches!(verdict, Verdict::Pass | Verdict::Note))
    }

    fn text_of(&self, shown: impl Fn(Verdict) -> bool) -> String {
        let mut text = String::new();
        for f in self.findings.iter().filter(|f| shown(f.verdict)) {
            let (verdict, end) = (f.verdict.word(), f.end.word());
            text += &format!("{verdict}  {end:6}  {}: {}\n", f.check, f.message);
            if let Some(sql) = &f.sql {
                text += &format!("              run: {sql};\n");
            }
        }
        text += &format!(
            "{} passed, {} warnings, {} failed, {} for setup to do\n",
            self.count(Verdict::Pass),
            self.count(Verdict::Warn),
            self.count(Verdict::Fail),
            self.count(Verdict::Todo),
        );
        text
    }

    pub fn json(&self) -> Value {
        let checks: Vec<Value> = self
            .findings
            .iter()
            .map(|f| {
                json!({
                    "check": f.check,
                    "end": f.end.word(),
                    "verdict": f.verdict.word(),
                    "message": f.message,
                    "sql": f.sql,
                })
            })
            .collect();
        let rollback: Vec<Value> = self
            .rollback
            .iter()
            .map(|lost| {
                let because = lost.because.iter();
                let because = because.map(|(target, why)| json!({ "target": target, "why": why }));
                json!({
                    "table": lost.table,
                    "column": lost.column,
                    "because": because.collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "pipeline": self.pipeline,
            "well": self.is_well(),
            "passed": self.count(Verdict::Pass),
            "warned": self.count(Verdict::Warn),
            "failed": self.count(Verdict::Fail),
            "todo": self.count(Verdict::Todo),
            "noted": self.count(Verdict::Note),
            "checks": checks,
            "rollback": rollback,
        })
    }

    /// The mending statements alone, by the end on which to run them.
    pub fn sql(&self) -> String {
        let mut text = String::new();
        for end in [End::Source, End::Target] {
            let mut statements: Vec<&str> = Vec::new();
            for finding in self.findings.iter().filter(|f| f.end == end) {
                if let Some(sql) = &finding.sql
                    && !statements.contains(&sql.as_str())
                {
                    statements.push(sql);
                }
            }
            if statements.is_empty() {
                continue;
            }
            text += &format!("-- on the {}\n", end.word());
            for sql in statements {
                text += &format!("{sql};\n");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::new("shop");
        report.pass("version", End::Source, "15.18");
        let sql = Some("ALTER SYSTEM SET wal_level = logical".to_owned());
        report.fail(
            "log level",
            End::Source,
            "wal_level is replica",
            sql.clone(),
        );
        report.warn("log level", End::Source, "and again", sql);
        report
    }

    #[test]
    fn a_statement_is_printed_once_under_its_end() {
        assert_eq!(
            report().sql(),
            "-- on the source\nALTER SYSTEM SET wal_level = logical;\n"
        );
    }

    #[test]
    fn one_failure_is_not_well() {
        let json = report().json();
        assert_eq!(json["well"], false);
        assert_eq!(json["failed"], 1);
        assert_eq!(json["checks"][1]["end"], "source");
    }
}
