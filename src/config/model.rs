//! The mapping part of a configuration: what is kept with the images that it made.

use std::fmt::Write;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeTable;

use super::reader::{Problems, Section};
use super::{
    Cart, Config, Fate, Into, Lookup, Map, Merge, Rows, cart, connection, into, load, lookup, map,
};
use crate::diagnostic::Diagnostics;
use crate::mapping::expr::Unknown;

/// `[cart]`, `[cart.rows]`, `[map.X]`, `[[into]]` and `[merge]`, and the text in which their spans lie.
#[derive(Clone, Debug)]
pub struct Model {
    pub path: PathBuf,
    pub text: String,
    /// What zoneless dates of the source mean.
    pub time_zone: String,
    pub cart: Cart,
    pub rows: Vec<Rows>,
    pub maps: Vec<Map>,
    pub lookups: Vec<Lookup>,
    pub into: Vec<Into>,
    pub merge: Merge,
}

impl Config {
    pub fn model(&self) -> Model {
        Model {
            path: self.path.clone(),
            text: self.text.clone(),
            time_zone: self.source.time_zone.clone(),
            cart: self.cart.clone(),
            rows: self.rows.clone(),
            maps: self.maps.clone(),
            lookups: self.lookups.clone(),
            into: self.into.clone(),
            merge: self.merge,
        }
    }

    /// Carts have no header row.
    pub fn is_headless(&self) -> bool {
        cart::is_headless(&self.cart, &self.into)
    }

    /// The mapping part as [`Config::parse_mapping`] reads it: no connections, no secrets, and
    /// equal for files that differ in comments and layout only.
    pub fn mapping_text(&self) -> String {
        self.model().mapping_text()
    }

    /// Reads what [`Config::mapping_text`] wrote.
    pub fn parse_mapping(text: &str) -> Result<Model, Diagnostics> {
        Model::parse(text)
    }
}

impl Model {
    /// Carts have no header row.
    pub fn is_headless(&self) -> bool {
        cart::is_headless(&self.cart, &self.into)
    }

    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let path = PathBuf::from("(stored mapping)");
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problems = errors.iter().map(load::syntax).collect();
            return Err(Diagnostics::new(&path, text, problems));
        }
        let mut problems = Problems::new();
        let mut root = Section::new("the mapping", 0..0, table.get_ref());
        let time_zone = connection::time_zone(&mut root, &mut problems);
        let (cart, rows) = cart::read(&mut root, &mut problems);
        let maps = map::read_all(&mut root, cart.as_ref(), &rows, &mut problems);
        let lookups = lookup::read_all(&mut root, &mut problems);
        let into = into::read_all(&mut root, cart.as_ref(), &rows, &mut problems);
        let merge = into::merge(&mut root, &mut problems);
        root.finish(&mut problems);
        match cart {
            Some(cart) if problems.is_empty() => Ok(Self {
                path,
                text: text.to_owned(),
                time_zone,
                cart,
                rows,
                maps,
                lookups,
                into,
                merge,
            }),
            _ => Err(Diagnostics::new(&path, text, problems)),
        }
    }

    /// The file offset of byte `offset` of a string's value.
    pub fn locate(&self, value: &Spanned<String>, offset: usize) -> usize {
        load::locate_in(&self.text, value, offset)
    }

    /// The same mapping in one fixed spelling.
    pub fn mapping_text(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        if self.time_zone != "UTC" {
            writeln!(out, "time_zone = {}", quoted(&self.time_zone))?;
        }
        let cart = &self.cart;
        writeln!(out, "[cart]\ntable = {}", quoted(cart.table.get_ref()))?;
        write_list(out, "\n", "key", &cart.key)?;
        write_list(out, "\n", "row_key", &cart.row_key)?;
        write_optional(out, "\n", "live", cart.live.as_ref())?;
        write_optional(out, "\n", "changed_at", cart.changed_at.as_ref())?;
        writeln!(out, "[cart.rows]")?;
        for row in &self.rows {
            let (alias, table) = (key(row.alias.get_ref()), quoted(row.table.get_ref()));
            write!(out, "{alias} = {{ table = {table}, ")?;
            write_list(out, ", ", "key", &row.key)?;
            write_list(out, ", ", "cart", &row.cart)?;
            write_optional(out, ", ", "parent", row.parent.as_ref())?;
            write_list(out, ", ", "by", &row.by)?;
            out.truncate(out.trim_end_matches(", ").len());
            writeln!(out, " }}")?;
        }
        self.maps.iter().try_for_each(|m| write_map(out, m))?;
        self.lookups.iter().try_for_each(|l| write_lookup(out, l))?;
        self.into.iter().try_for_each(|i| write_into(out, i))?;
        let (quantity, fields) = into::merge_names(self.merge);
        writeln!(
            out,
            "[merge]\nquantity = \"{quantity}\"\nfields = \"{fields}\""
        )
    }
}

fn write_map(out: &mut String, map: &Map) -> std::fmt::Result {
    let name = key(map.name.get_ref());
    let (class, policy) = map.words();
    writeln!(out, "[map.{name}]\ntype = \"{class}\"")?;
    match (policy, &map.unknown) {
        (None, Unknown::Value(text)) => {
            writeln!(out, "unknown = {{ value = {} }}", quoted(text))?;
        }
        (policy, _) => writeln!(out, "unknown = \"{}\"", policy.unwrap_or("hold"))?,
    }
    writeln!(out, "[map.{name}.values]")?;
    map.values
        .iter()
        .try_for_each(|(from, to)| writeln!(out, "{} = {}", key(from), quoted(to)))
}

fn write_lookup(out: &mut String, lookup: &Lookup) -> std::fmt::Result {
    writeln!(out, "[lookup.{}]", key(lookup.name.get_ref()))?;
    writeln!(out, "on = \"{}\"", lookup.on.name())?;
    writeln!(out, "table = {}", quoted(lookup.table.get_ref()))?;
    write_list(out, "\n", "match", &lookup.matches)?;
    write_list(out, "\n", "get", &lookup.get)?;
    write_optional(out, "\n", "where", lookup.filter.as_ref())?;
    writeln!(out, "missing = \"{}\"", lookup.missing.name())?;
    writeln!(out, "ambiguous = \"{}\"", lookup.ambiguous.name())
}

fn write_into(out: &mut String, into: &Into) -> std::fmt::Result {
    writeln!(out, "[[into]]\ntable = {}", quoted(into.table.get_ref()))?;
    let per = into.each.as_ref().map_or(&into.per, |each| &each.written);
    writeln!(out, "per = {}", quoted(per.get_ref()))?;
    write_list(out, "\n", "group", &into.group)?;
    writeln!(out, "role = {}", quoted(into::role_name(into.role)))?;
    writeln!(out, "lock = {}", quoted(into.lock.get_ref()))?;
    write_optional(out, "\n", "where", into.filter.as_ref())?;
    write_optional(out, "\n", "closed", into.closed.as_ref())?;
    write_fate(out, "ended", into.ended.as_ref())?;
    write_fate(out, "deleted", into.deleted.as_ref())?;
    if let Some(line) = &into.line {
        let (product, quantity) = (
            quoted(line.product.get_ref()),
            quoted(line.quantity.get_ref()),
        );
        let max = line.max_quantity;
        writeln!(
            out,
            "line = {{ product = {product}, quantity = {quantity}, max_quantity = {max} }}"
        )?;
    }
    writeln!(out, "[into.columns]")?;
    for column in &into.columns {
        let (name, value) = (key(column.name.get_ref()), quoted(column.value.get_ref()));
        if column.allocated {
            writeln!(out, "{name} = {{ allocated = true }}")?;
            continue;
        }
        let mut rest = String::new();
        if column.key {
            rest += ", key = true";
        }
        if column.once {
            rest += ", once = true";
        }
        if let Some(rule) = column.merge {
            write!(rest, ", merge = {}", quoted(into::field_rule_name(rule)))?;
        }
        writeln!(out, "{name} = {{ value = {value}{rest} }}")?;
    }
    Ok(())
}

fn write_fate(out: &mut String, name: &str, fate: Option<&Fate>) -> std::fmt::Result {
    match fate {
        None => Ok(()),
        Some(Fate::Delete) => writeln!(out, "{name} = \"delete\""),
        Some(Fate::Keep) => writeln!(out, "{name} = \"keep\""),
        Some(Fate::Set(set)) => {
            let set: Vec<String> = set
                .iter()
                .map(|(column, value)| {
                    format!("{} = {}", key(column.get_ref()), quoted(value.get_ref()))
                })
                .collect();
            writeln!(out, "{name} = {{ set = {{ {} }} }}", set.join(", "))
        }
    }
}

fn write_optional(
    out: &mut String,
    end: &str,
    name: &str,
    value: Option<&Spanned<String>>,
) -> std::fmt::Result {
    match value {
        Some(value) => write!(out, "{name} = {}{end}", quoted(value.get_ref())),
        None => Ok(()),
    }
}

fn write_list(
    out: &mut String,
    end: &str,
    name: &str,
    list: &[Spanned<String>],
) -> std::fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = list.iter().map(|s| quoted(s.get_ref())).collect();
    write!(out, "{name} = [{}]{end}", list.join(", "))
}

/// A basic string on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}
