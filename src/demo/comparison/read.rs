//! Both shops' tables, a page of carts at a time.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::PAGE;
use super::carts::{Cart, Expected, Found, Line, is_named, minor};
use crate::mysql::connect::Flavor;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Param;

type Read<T> = Result<T, TargetError>;

/// A stretch of the tokens, which both shops have: beyond the one before, up to another that is
/// part of it, or to the end.
pub struct Span {
    beyond: String,
    to: Option<String>,
}

impl Span {
    pub async fn first(old: &Target) -> Read<Self> {
        Self::beyond(old, String::new()).await
    }

    pub async fn next(self, old: &Target) -> Read<Option<Self>> {
        match self.to {
            Some(to) => Self::beyond(old, to).await.map(Some),
            None => Ok(None),
        }
    }

    async fn beyond(old: &Target, beyond: String) -> Read<Self> {
        let sql = format!(
            "SELECT token FROM orders WHERE token > $1 ORDER BY token LIMIT 1 OFFSET {}",
            PAGE - 1
        );
        let row = old.first(&*sql, params![&beyond]).await?;
        let to = row.map(|row| row.get(0)).transpose()?;
        Ok(Self { beyond, to })
    }

    fn condition(&self) -> &'static str {
        match self.to {
            Some(_) => "token > $1 AND token <= $2",
            None => "token > $1",
        }
    }

    fn params(&self) -> Vec<Param<'_>> {
        let both = [Some(&self.beyond), self.to.as_ref()];
        both.into_iter().flatten().map(Param::from).collect()
    }
}

/// Carts that the daemon has given up.
pub async fn held(new: &Target) -> Read<i64> {
    let row = new.one("SELECT count(*) FROM cartage.held", &[]);
    row.await?.get(0)
}

/// When the backfill began and ended.
pub struct Backfill {
    pub began: Option<i64>,
    pub ended: Option<i64>,
}

pub async fn backfill(new: &Target) -> Read<Backfill> {
    let sql = format!(
        "SELECT {}, {} FROM cartage.refresh_run WHERE kind = 'backfill'",
        micros(new, "min(started_at)"),
        micros(new, "max(finished_at)")
    );
    let row = new.one(&*sql, &[]).await?;
    Ok(Backfill {
        began: row.get(0)?,
        ended: row.get(1)?,
    })
}

/// What the old shop demands of the new one.
pub async fn expected(old: &Target, new: &Target, span: &Span) -> Read<BTreeMap<String, Expected>> {
    let mut lines = demanded_lines(old, span).await?;
    let condition = span.condition();
    let sql = format!(
        "SELECT token, id, number, state, email, customer_id, currency, note, {}, {}, {}
         FROM orders WHERE {condition}",
        micros(old, "created_at"),
        micros(old, "updated_at"),
        micros(old, "completed_at"),
    );
    let rows = old.query(&*sql, &span.params()).await?;
    let ids = rows.iter().map(|row| row.get(1));
    let patches = patches(new, ids.collect::<Read<_>>()?).await?;
    // MariaDB's log has the second alone.
    let clock = match old {
        Target::Mysql(session) if session.flavor == Flavor::MariaDb => 1_000_000,
        _ => 1,
    };
    let mut carts = BTreeMap::new();
    for row in rows {
        let token: String = row.get(0)?;
        let id: i64 = row.get(1)?;
        let live = row.get::<String>(3)? == "cart";
        let email: Option<String> = row.get(4)?;
        let customer: Option<i64> = row.get(5)?;
        let currency: String = row.get(6)?;
        let lines: Vec<Line> = lines
            .remove(&id)
            .unwrap_or_default()
            .into_iter()
            .map(|line| line.in_currency(&currency))
            .collect();
        let cart = Cart {
            metadata: json!({"number": row.get::<String>(2)?, "order": id}),
            email: email.map(|email| email.trim_matches(' ').to_lowercase()),
            customer_ref: customer.map(|id| format!("customer-{id}")),
            channel: match customer {
                None => "guest".into(),
                Some(_) => "account".into(),
            },
            currency_code: currency.to_lowercase(),
            note: row.get(7)?,
            created_at: row.get(8)?,
            updated_at: live.then(|| row.get(9)).transpose()?,
            item_count: lines.iter().map(|line| line.quantity).sum(),
            item_total: lines.iter().map(|line| line.line_minor).sum(),
            sales_region: "europe".into(),
            reminded_at: None,
            lines,
        };
        let expected = Expected {
            live,
            completed_at: row.get(10)?,
            clock,
            born_unproved: matches!(old, Target::Mysql(_)),
            patches: patches.get(&id).copied(),
            cart,
        };
        carts.insert(token, expected);
    }
    Ok(carts)
}

/// A line whose amounts are in thousandths still.
struct Demanded(Line);

impl Demanded {
    fn in_currency(mut self, currency: &str) -> Line {
        let line = &mut self.0;
        line.unit_minor = minor(line.unit_minor, currency);
        line.line_minor = minor(line.line_minor, currency);
        self.0
    }
}

async fn demanded_lines(old: &Target, span: &Span) -> Read<HashMap<i64, Vec<Demanded>>> {
    let condition = span.condition();
    let sql = format!(
        "SELECT line_id, name, value FROM line_options
         JOIN line_items ON line_items.id = line_id JOIN orders ON orders.id = order_id
         WHERE {condition}"
    );
    let mut options: HashMap<i64, Value> = HashMap::new();
    for row in old.query(&*sql, &span.params()).await? {
        let of_line = options.entry(row.get(0)?).or_insert_with(|| json!({}));
        of_line[row.get::<String>(1)?] = json!(row.get::<String>(2)?);
    }
    let sql = format!(
        "SELECT order_id, line_items.id, sku, title, quantity, {}, {}
         FROM line_items JOIN orders ON orders.id = order_id
         WHERE {condition} ORDER BY line_items.id",
        micros(old, "added_at"),
        whole(old, "unit_price * 1000"),
    );
    let mut lines: HashMap<i64, Vec<Demanded>> = HashMap::new();
    for row in old.query(&*sql, &span.params()).await? {
        let (id, quantity, price): (i64, i64, i64) = (row.get(1)?, row.get(4)?, row.get(6)?);
        let line = Line {
            source_id: id,
            sku: row.get(2)?,
            name: row.get(3)?,
            quantity,
            added_at: row.get(5)?,
            unit_minor: price,
            line_minor: price * quantity,
            options: options.remove(&id),
            gift: false,
        };
        lines.entry(row.get(0)?).or_default().push(Demanded(line));
    }
    Ok(lines)
}

/// How many patches the ledger counts of each of these carts.
async fn patches(new: &Target, carts: Vec<i64>) -> Read<HashMap<i64, i64>> {
    if carts.is_empty() {
        return Ok(HashMap::new());
    }
    let listed: Vec<String> = carts.iter().map(|cart| format!("'{cart}'")).collect();
    let sql = format!(
        "SELECT cart, patches FROM cartage.ledger
         WHERE pipeline = (SELECT min(id) FROM cartage.pipeline) AND cart IN ({})",
        listed.join(", ")
    );
    let mut patches = HashMap::new();
    for row in new.query(&*sql, &[]).await? {
        if let Ok(cart) = row.get::<String>(0)?.parse() {
            patches.insert(cart, row.get(1)?);
        }
    }
    Ok(patches)
}

/// What the new shop holds.
pub async fn found(new: &Target, span: &Span) -> Read<BTreeMap<String, Found>> {
    let condition = span.condition();
    let sql = format!(
        "SELECT cart_id, cart_line.id, source_id, sku, name, quantity, {}, unit_minor, line_minor,
                {}, gift
         FROM cart_line JOIN cart ON cart.id = cart_id WHERE {condition} ORDER BY source_id",
        micros(new, "added_at"),
        text(new, "options"),
    );
    let mut lines: HashMap<String, (bool, Vec<Line>)> = HashMap::new();
    for row in new.query(&*sql, &span.params()).await? {
        let id: String = row.get(1)?;
        let line = Line {
            source_id: row.get(2)?,
            sku: row.get(3)?,
            name: row.get(4)?,
            quantity: row.get(5)?,
            added_at: row.get(6)?,
            unit_minor: row.get(7)?,
            line_minor: row.get(8)?,
            options: row.get::<Option<String>>(9)?.map(document),
            gift: row.get(10)?,
        };
        let of_cart = lines.entry(row.get(0)?).or_insert((true, Vec::new()));
        of_cart.0 &= is_named(&id, "line_");
        of_cart.1.push(line);
    }
    let sql = format!(
        "SELECT token, id, {}, email, customer_ref, channel, currency_code, note, {}, {},
                item_count, item_total, sales_region, {}, {}, version
         FROM cart WHERE {condition}",
        text(new, "metadata"),
        micros(new, "created_at"),
        micros(new, "updated_at"),
        micros(new, "reminded_at"),
        micros(new, "completed_at"),
    );
    let mut carts = BTreeMap::new();
    for row in new.query(&*sql, &span.params()).await? {
        let id: String = row.get(1)?;
        let completed_at: Option<i64> = row.get(14)?;
        let (lines_named, lines) = lines.remove(&id).unwrap_or((true, Vec::new()));
        let cart = Cart {
            metadata: document(row.get(2)?),
            email: row.get(3)?,
            customer_ref: row.get(4)?,
            channel: row.get(5)?,
            currency_code: row.get(6)?,
            note: row.get(7)?,
            created_at: row.get(8)?,
            updated_at: match completed_at {
                None => row.get(9)?,
                Some(_) => None,
            },
            item_count: row.get(10)?,
            item_total: row.get(11)?,
            sales_region: row.get(12)?,
            reminded_at: row.get(13)?,
            lines,
        };
        let found = Found {
            well_named: is_named(&id, "cart_") && lines_named,
            version: row.get(15)?,
            completed_at,
            cart,
        };
        carts.insert(row.get(0)?, found);
    }
    Ok(carts)
}

/// What is no document is equal to none.
fn document(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// A moment in microseconds since 1970.
fn micros(session: &Target, moment: &str) -> String {
    match session {
        Target::Postgres(_) => format!("CAST(extract(epoch FROM {moment}) * 1000000 AS bigint)"),
        Target::Mysql(_) => format!("TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {moment})"),
    }
}

fn whole(session: &Target, number: &str) -> String {
    match session {
        Target::Postgres(_) => format!("CAST({number} AS bigint)"),
        Target::Mysql(_) => format!("CAST({number} AS SIGNED)"),
    }
}

fn text(session: &Target, document: &str) -> String {
    match session {
        Target::Postgres(_) => format!("CAST({document} AS text)"),
        Target::Mysql(_) => format!("CAST({document} AS char)"),
    }
}
