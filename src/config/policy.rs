//! A policy for merges by itself: what `[merge]` and the columns' own rules would be.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::into::{self, FIELD_RULES};
use super::reader::{Problems, Section, table, wrong};
use super::{Config, FieldRule, Model, QuantityRule, load, mask};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// What a file says of merges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    pub quantity: Option<QuantityRule>,
    pub fields: Option<FieldRule>,
    /// By target table, as the file names it, and column.
    pub columns: Vec<(String, String, Option<FieldRule>)>,
    /// The file is a whole configuration: what it does not say is not so. Otherwise that stays as it
    /// was.
    pub whole: bool,
}

impl Policy {
    /// `[merge]` and, where single columns have their own rules, `[[into]]` with `table` and
    /// `columns`; or a whole configuration, of which the rest must be right too.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Diagnostics> {
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problems = errors.iter().map(load::syntax).collect();
            return Err(Diagnostics::new(path, &mask::masked(text), problems));
        }
        if root.get_ref().contains_key("source") {
            return Ok(Self::of(&Config::parse(text, path)?.model()));
        }
        if root.get_ref().contains_key("cart") {
            return Ok(Self::of(&Model::parse(text)?));
        }
        let mut problems = Problems::new();
        let mut section = Section::new("the policy", 0..0, root.get_ref());
        if !section.has("merge") && !section.has("into") {
            section.missing("merge", "[merge], or [[into]]", &mut problems);
        }
        let (quantity, fields) = into::rules(&mut section, &mut problems);
        let columns = columns(&mut section, &mut problems);
        section.finish(&mut problems);
        match problems.is_empty() {
            true => Ok(Self {
                quantity,
                fields,
                columns,
                whole: false,
            }),
            false => Err(Diagnostics::new(path, text, problems)),
        }
    }

    fn of(model: &Model) -> Self {
        let columns = model.into.iter().flat_map(|into| {
            let table = into.table.get_ref().clone();
            let column =
                move |c: &super::Column| (table.clone(), c.name.get_ref().clone(), c.merge);
            into.columns.iter().map(column)
        });
        Self {
            quantity: Some(model.merge.quantity),
            fields: Some(model.merge.fields),
            columns: columns.filter(|(_, _, rule)| rule.is_some()).collect(),
            whole: true,
        }
    }

    /// Puts the policy into a mapping. Answers the columns that the mapping does not have.
    pub fn put_into(&self, model: &mut Model) -> Vec<String> {
        if let Some(quantity) = self.quantity {
            model.merge.quantity = quantity;
        }
        if let Some(fields) = self.fields {
            model.merge.fields = fields;
        }
        if self.whole {
            let columns = model.into.iter_mut().flat_map(|into| &mut into.columns);
            columns.for_each(|column| column.merge = None);
        }
        let mut strange = Vec::new();
        for (table, name, rule) in &self.columns {
            let intos = model.into.iter_mut();
            let intos = intos.filter(|into| is_same(table, into.table.get_ref()));
            let columns = intos.flat_map(|into| &mut into.columns);
            let mut found = false;
            for column in columns.filter(|column| column.name.get_ref() == name) {
                column.merge = *rule;
                found = true;
            }
            if !found {
                strange.push(format!("{table}.{name}"));
            }
        }
        strange
    }
}

/// A table's name may stand with its schema or without.
fn is_same(one: &str, other: &str) -> bool {
    let bare = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    match one.contains('.') == other.contains('.') {
        true => one == other,
        false => bare(one) == bare(other),
    }
}

/// `[[into]]` with nothing but `table` and the `merge` of columns.
fn columns(
    root: &mut Section<'_>,
    problems: &mut Problems,
) -> Vec<(String, String, Option<FieldRule>)> {
    let Some((span, value)) = root.take("into") else {
        return Vec::new();
    };
    let DeValue::Array(list) = value.get_ref() else {
        wrong("into", value, "[[into]] with doubled brackets", problems);
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in list.iter() {
        let Some(mut into) = table("[[into]]".into(), span.clone(), item, problems) else {
            continue;
        };
        let name = into.required("table", "a table of the target", problems);
        let entries = match into.table("columns", problems) {
            Some(columns) => columns.into_entries(),
            None => Vec::new(),
        };
        into.finish(problems);
        for entry in entries {
            let column = entry.key.get_ref().clone();
            let of = (entry.key.span(), entry.value);
            let expected = "{ merge = \"latest\" }";
            if !matches!(of.1.get_ref(), DeValue::Table(_)) {
                wrong(&column, of.1, expected, problems);
                continue;
            }
            let section = table(format!("column `{column}`"), of.0.clone(), of.1, problems);
            let Some(mut section) = section else { continue };
            let rule = section.choice("merge", &FIELD_RULES, problems);
            if rule.is_none() && !section.has("merge") {
                let message = format!("`merge` of column `{column}` is missing");
                problems.push(Diagnostic::error(of.0, message).expected(expected));
            }
            section.finish(problems);
            if let Some(name) = &name {
                out.push((name.get_ref().clone(), column, rule));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, String> {
        Policy::parse(text, Path::new("p")).map_err(|problems| problems.render(false))
    }

    #[test]
    fn what_a_policy_does_not_say_stays() {
        let policy = read(
            "[merge]\nquantity = \"max\"\n[[into]]\ntable = \"cart\"\n\
             [into.columns]\nemail = { merge = \"target\" }\n",
        )
        .unwrap();
        assert_eq!(policy.quantity, Some(QuantityRule::Max));
        assert_eq!((policy.fields, policy.whole), (None, false));
        let email = (
            "cart".to_owned(),
            "email".to_owned(),
            Some(FieldRule::Target),
        );
        assert_eq!(policy.columns, [email]);
    }

    const WHOLE: &str = "[cart]\ntable = \"orders\"\n[cart.rows]\n[[into]]\ntable = \"shop.cart\"\n\
        per = \"orders\"\nrole = \"header\"\n[into.columns]\nid = { key = \"id\" }\n\
        email = { value = \"email\", merge = \"source\" }\nnote = \"note\"\n\
        [merge]\nfields = \"latest\"\n";

    #[test]
    fn a_whole_mapping_says_all() {
        let policy = read(&WHOLE.replace("latest", "target")).unwrap();
        assert!(policy.whole);
        assert_eq!(policy.quantity, Some(QuantityRule::Both));
        let mut model = Model::parse(&WHOLE.replace(
            "note = \"note\"",
            "note = { value = \"note\", merge = \"source\" }",
        ))
        .unwrap();
        assert_eq!(policy.put_into(&mut model), Vec::<String>::new());
        let text = model.mapping_text();
        assert!(text.contains("fields = \"target\""), "{text}");
        assert!(text.contains("note = { value = \"note\" }"), "{text}");
        assert!(
            text.contains("email = { value = \"email\", merge = \"source\" }"),
            "{text}"
        );
    }

    #[test]
    fn a_policy_is_put_into_a_mapping() {
        let policy = read(
            "[[into]]\ntable = \"cart\"\ncolumns.note = { merge = \"source\" }\n\
             columns.other = { merge = \"source\" }\n",
        )
        .unwrap();
        let mut model = Model::parse(WHOLE).unwrap();
        assert_eq!(policy.put_into(&mut model), ["cart.other"]);
        let text = model.mapping_text();
        assert!(
            text.contains("note = { value = \"note\", merge = \"source\" }"),
            "{text}"
        );
        assert!(
            text.contains("email = { value = \"email\", merge = \"source\" }"),
            "{text}"
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("", "[merge], or [[into]]"),
            ("[merge]\nquantity = \"most\"\n", "p:2:12"),
            ("[merge]\nquantities = \"max\"\n", "`quantities`"),
            (
                "[merge]\n[[into]]\ntable = \"c\"\ncolumns.x = \"source\"\n",
                "merge = \"latest\"",
            ),
            (
                "[merge]\n[[into]]\ncolumns.x = { merge = \"source\" }\n",
                "`table`",
            ),
            ("[merge\n", "p:1"),
        ] {
            let problems = read(text).unwrap_err();
            assert!(problems.contains(said), "{text}: {problems}");
        }
    }
}
