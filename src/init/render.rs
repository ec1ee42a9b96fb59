//! A draft as the file: each piece on a line of its own, so that what is wrong is known by its line.

use super::draft::{ColumnPart, Draft, Form, IntoPart, Piece};
use super::spelling::quoted;
use crate::config::{Kind, Tls, TlsMode};

/// Where a piece stands in the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    Live,
    ChangedAt,
    Rows(usize),
    Lookup(usize),
    Map(usize),
    Into(usize),
    Key(usize, usize),
    Column(usize, usize),
}

/// One end as the file names it.
#[derive(Clone, Debug)]
pub struct End {
    pub kind: Kind,
    /// Without the password.
    pub url: String,
    pub had_password: bool,
    pub tls: Tls,
}

#[derive(Clone, Debug)]
pub struct Ends {
    pub name: String,
    pub source: End,
    pub target: End,
}

pub struct Rendered {
    pub text: String,
    /// What stands on each line.
    pub spots: Vec<Option<Spot>>,
}

impl Rendered {
    fn line(&mut self, spot: Option<Spot>, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref().trim_end());
        self.text.push('\n');
        self.spots.push(spot);
    }

    /// A piece of the file, as a comment with its reason where it is taken out.
    fn piece(&mut self, spot: Spot, indent: &str, text: &str, why: &str, out: Option<&String>) {
        let note = |why: &str| match why {
            "" => String::new(),
            why => format!("  # {why}"),
        };
        match out {
            None => self.line(Some(spot), format!("{indent}{text}{}", note(why))),
            Some(reason) => {
                self.line(None, format!("{indent}# {text}{}", note(why)));
                self.line(None, format!("{indent}#   taken out: {}", one_line(reason)));
            }
        }
    }
}

pub fn render(draft: &Draft, ends: &Ends) -> Rendered {
    let mut out = Rendered {
        text: String::new(),
        spots: Vec::new(),
    };
    top(draft, ends, &mut out);
    cart(draft, &mut out);
    lookups(draft, &mut out);
    title("what it becomes in the new shop", &mut out);
    for (i, into) in draft.intos.iter().enumerate() {
        self::into(i, into, &mut out);
    }
    if draft.intos.is_empty() {
        out.line(
            None,
            "# No table of the target looks like one of carts: add [[into]] by hand.",
        );
    }
    title("when both shops have changed one cart", &mut out);
    out.line(None, "[merge]");
    out.line(None, "quantity = \"both\"  # each side's change counts");
    out.line(None, "fields = \"latest\"");
    out
}

fn title(text: &str, out: &mut Rendered) {
    let line = "─".repeat(90usize.saturating_sub(text.chars().count()));
    out.line(None, "");
    out.line(None, format!("# ── {text} {line}"));
}

fn top(draft: &Draft, ends: &Ends, out: &mut Rendered) {
    let or = |name: &Option<String>| {
        name.clone()
            .unwrap_or_else(|| "a shop that is not known".into())
    };
    let (old, new) = (or(&draft.shops.old), or(&draft.shops.new));
    out.line(
        None,
        format!(
            "# A first mapping: {} to {}.",
            one_line(&old),
            one_line(&new)
        ),
    );
    out.line(None, "#");
    out.line(None, "# Beside each column stands how well it is founded: `sure` (both platforms are known, and this is");
    out.line(None, "# how it is done), `likely` (by names, types and keys) or `guess`. What does not fit both schemas is");
    out.line(None, "# commented out, with the reason below it. `needs an answer` stands where the target must be told");
    out.line(
        None,
        "# something for which nothing was found. Then: cartage check, cartage preview --random 3.",
    );
    for problem in &draft.left_over {
        out.line(None, format!("# Not settled: {}", one_line(problem)));
    }
    out.line(None, "");
    out.line(None, format!("name = {}", quoted(&ends.name)));
    end("source", &ends.source, out);
    let zone = "# time_zone = \"Europe/Berlin\"  # needs an answer: what dates without a zone mean; default UTC";
    match &draft.shops.time_zone {
        Some(zone) => out.line(
            None,
            format!(
                "time_zone = {}  # sure: the platform keeps all its times in it",
                quoted(zone)
            ),
        ),
        None => out.line(None, zone),
    }
    end("target", &ends.target, out);
}

fn end(name: &str, end: &End, out: &mut Rendered) {
    out.line(None, "");
    out.line(None, format!("[{name}]"));
    let kind = match end.kind {
        Kind::Postgres => "postgres",
        Kind::Mysql => "mysql",
    };
    out.line(None, format!("kind = \"{kind}\""));
    out.line(None, format!("url = {}", quoted(&end.url)));
    if end.had_password {
        out.line(
            None,
            format!("# password = {{ file = \"{name}-password\" }}  # needs an answer: the one given to init is not written here"),
        );
    }
    let mode = match end.tls.mode {
        TlsMode::Prefer => None,
        TlsMode::Disable => Some("disable"),
        TlsMode::Require => Some("require"),
        TlsMode::VerifyCa => Some("verify-ca"),
        TlsMode::VerifyFull => Some("verify-full"),
    };
    let files = [
        ("ca", &end.tls.ca),
        ("certificate", &end.tls.certificate),
        ("key", &end.tls.key),
    ];
    let mut parts: Vec<String> = mode.iter().map(|m| format!("mode = \"{m}\"")).collect();
    parts.extend(files.into_iter().filter_map(|(key, file)| {
        let file = file.as_ref()?;
        Some(format!("{key} = {}", quoted(&file.display().to_string())))
    }));
    if !parts.is_empty() {
        out.line(None, format!("tls = {{ {} }}", parts.join(", ")));
    }
}

fn cart(draft: &Draft, out: &mut Rendered) {
    title("what a cart is in the old shop", out);
    let Some(cart) = &draft.cart else {
        out.line(
            None,
            "# No table of the source looks like one of carts: add [cart] by hand.",
        );
        return;
    };
    let (confidence, why) = &cart.why;
    out.line(None, "[cart]");
    out.line(
        None,
        format!(
            "table = {}  # {}: {}",
            quoted(&cart.table),
            confidence.word(),
            one_line(why)
        ),
    );
    if !cart.key.is_empty() {
        out.line(None, format!("key = {}", list(&cart.key)));
    }
    if let Some(live) = &cart.live {
        let (text, why) = &live.what;
        out.piece(
            Spot::Live,
            "",
            &format!("live = {}", quoted(text)),
            why,
            live.out.as_ref(),
        );
    }
    // A known platform without it has a row for each open cart and for no other.
    let open = match &cart.live {
        Some(live) => live.out.is_none(),
        None => draft.shops.old.is_some(),
    };
    if !open {
        out.line(
            None,
            "# live = \"…\"  # needs an answer: which carts are open; without it all are, for ever",
        );
    }
    if let Some(changed) = &cart.changed_at {
        let text = format!("changed_at = {}", quoted(&changed.what));
        out.piece(Spot::ChangedAt, "", &text, "", changed.out.as_ref());
    }
    if draft.rows.is_empty() {
        return;
    }
    out.line(None, "");
    out.line(None, "[cart.rows]");
    for (i, rows) in draft.rows.iter().enumerate() {
        let part = &rows.what;
        let mut keys = Vec::new();
        if !part.cart.is_empty() {
            keys.push(format!("cart = {}", list(&part.cart)));
        }
        if let Some((parent, by)) = &part.parent {
            keys.push(format!("parent = {}, by = {}", quoted(parent), list(by)));
        }
        if !part.key.is_empty() {
            keys.push(format!("key = {}", list(&part.key)));
        }
        let alias = key(&part.alias);
        let text = format!("{alias} = {{ {} }}", keys.join(", "));
        out.piece(Spot::Rows(i), "", &text, &part.why, rows.out.as_ref());
    }
}

fn lookups(draft: &Draft, out: &mut Rendered) {
    if draft.lookups.is_empty() && draft.maps.is_empty() {
        return;
    }
    title("values from tables that are not part of a cart", out);
    let mut first = true;
    for (i, piece) in draft.maps.iter().enumerate() {
        if !std::mem::take(&mut first) {
            out.line(None, "");
        }
        let (name, map) = &piece.what;
        let values = map.values.iter();
        let values: Vec<String> = values
            .map(|(k, v)| format!("{} = {}", key(k), quoted(v)))
            .collect();
        let mut lines = vec![
            (
                format!("[map.{}]", key(name)),
                format!("needs an answer: {}", map.why),
            ),
            (
                format!("values = {{ {} }}", values.join(", ")),
                String::new(),
            ),
        ];
        if let Some(ty) = &map.ty {
            lines.insert(1, (format!("type = {}", quoted(ty)), String::new()));
        }
        if let Some(unknown) = &map.unknown {
            lines.push((format!("unknown = {}", quoted(unknown)), String::new()));
        }
        section(Spot::Map(i), lines, piece.out.as_ref(), out);
    }
    for (i, piece) in draft.lookups.iter().enumerate() {
        if !std::mem::take(&mut first) {
            out.line(None, "");
        }
        let part = &piece.what;
        let lookup = &part.lookup;
        let why = lookup.why.clone().unwrap_or_default();
        let mut lines = vec![
            (format!("[lookup.{}]", key(&part.name)), why),
            (format!("on = {}", quoted(part.on)), String::new()),
            (format!("table = {}", quoted(&lookup.table)), String::new()),
            (
                format!("match = {}", list_always(&lookup.by)),
                String::new(),
            ),
        ];
        if let Some(filter) = &lookup.filter {
            lines.push((format!("where = {}", quoted(filter)), String::new()));
        }
        lines.push((format!("get = {}", list_always(&lookup.get)), String::new()));
        if let Some(missing) = &lookup.missing {
            lines.push((format!("missing = {}", quoted(missing)), String::new()));
        }
        if let Some(ambiguous) = &lookup.ambiguous {
            lines.push((format!("ambiguous = {}", quoted(ambiguous)), String::new()));
        }
        section(Spot::Lookup(i), lines, piece.out.as_ref(), out);
    }
}

/// Lines that stand or go together.
fn section(spot: Spot, lines: Vec<(String, String)>, reason: Option<&String>, out: &mut Rendered) {
    let out_of = reason.is_some();
    for (text, why) in lines {
        let note = match why.as_str() {
            "" => String::new(),
            why => format!("  # {}", one_line(why)),
        };
        match out_of {
            false => out.line(Some(spot), format!("{text}{note}")),
            true => out.line(None, format!("# {text}{note}")),
        }
    }
    if let Some(reason) = reason {
        out.line(None, format!("#   taken out: {}", one_line(reason)));
    }
}

fn into(i: usize, piece: &Piece<IntoPart>, out: &mut Rendered) {
    let part = &piece.what;
    let mut inner = Rendered {
        text: String::new(),
        spots: Vec::new(),
    };
    let at = Some(Spot::Into(i));
    inner.line(at, format!("[[into]]  # {}", one_line(&part.why)));
    inner.line(at, format!("table = {}", quoted(&part.table)));
    inner.line(at, format!("per = {}", quoted(&part.per)));
    inner.line(at, format!("role = {}", quoted(&part.role)));
    for (k, key) in part.keys.iter().enumerate() {
        let (name, text, why) = &key.what;
        inner.piece(
            Spot::Key(i, k),
            "",
            &format!("{name} = {text}"),
            why,
            key.out.as_ref(),
        );
    }
    inner.line(None, "");
    inner.line(at, "  [into.columns]");
    let width = part
        .columns
        .iter()
        .map(|c| key(&c.what.name).chars().count())
        .max()
        .unwrap_or(0);
    for (c, column) in part.columns.iter().enumerate() {
        let (text, why) = column_text(&column.what, width);
        inner.piece(Spot::Column(i, c), "  ", &text, &why, column.out.as_ref());
    }
    for (name, ty) in &part.answers {
        let text = format!(
            "  # {} = \"…\"  # needs an answer: {ty}, NOT NULL without a default",
            key(name)
        );
        inner.line(None, text);
    }
    if !part.left.is_empty() {
        inner.line(
            None,
            format!("  # left to the new shop: {}", part.left.join(", ")),
        );
    }
    out.line(None, "");
    for (line, spot) in inner.text.lines().zip(inner.spots) {
        match (&piece.out, line) {
            (None, _) => out.line(spot, line),
            (Some(_), "") => out.line(None, "#"),
            (Some(_), line) => out.line(None, format!("# {line}")),
        }
    }
    if let Some(reason) = &piece.out {
        out.line(None, format!("#   taken out: {}", one_line(reason)));
    }
}

fn column_text(part: &ColumnPart, width: usize) -> (String, String) {
    let expression = quoted(&part.expression);
    let value = match part.form {
        Form::Value => expression,
        Form::Key => format!("{{ key = {expression} }}"),
        Form::Once => format!("{{ once = {expression} }}"),
        Form::Allocated => "{ allocated = true }".into(),
    };
    let why = format!("{}: {}", part.confidence.word(), one_line(&part.why));
    (format!("{:<width$} = {value}", key(&part.name)), why)
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(names: &[String]) -> String {
    match names {
        [one] => quoted(one),
        _ => list_always(names),
    }
}

fn list_always(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|n| quoted(n)).collect();
    format!("[{}]", names.join(", "))
}

/// A TOML key, bare where it may be.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}
