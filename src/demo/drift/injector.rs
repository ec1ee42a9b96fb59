//! The injector: changes carts of the new shop behind cartage's back, and notes by itself which.
//!
//! It leaves the lock as it is, as somebody with a prompt or a broken restore would: by that a drift can
//! be told from what the new shop's customers write.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;

use super::cast::{Drifting, Known};
use super::kinds::{Column, Kind, TEXTS};
use crate::params;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::Words;

type Done<T> = Result<T, TargetError>;

/// A cart that has drifted, by its key in the old shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub kind: Kind,
    /// The table and column, or what happened to the rows.
    pub what: String,
}

pub struct Injector {
    new: Target,
    rng: Rng,
    /// The new shop's keys by those of the old one.
    headers: HashMap<i64, String>,
    noted: BTreeMap<i64, Drift>,
}

impl Injector {
    pub fn new(new: Target, seed: u64) -> Self {
        Injector {
            new,
            rng: Rng::with_seed(seed ^ 0x0d1f),
            headers: HashMap::new(),
            noted: BTreeMap::new(),
        }
    }

    /// What it has done so far.
    pub fn noted(&self) -> &BTreeMap<i64, Drift> {
        &self.noted
    }

    /// Looks up the rows of carts while they are in the new shop. By the token, which both shops have.
    pub async fn meet<'k>(&mut self, carts: impl Iterator<Item = &'k Known>) -> Done<()> {
        for cart in carts {
            let header = "SELECT id FROM cart WHERE token = $1";
            if let Some(row) = self.new.first(header, params![&cart.token]).await? {
                self.headers.insert(cart.id, row.get(0)?);
            }
        }
        Ok(())
    }

    /// Keeps the rows of carts that are to be deleted in the old shop, and then to come back.
    pub async fn keep<'k>(&mut self, carts: impl Iterator<Item = &'k Known>) -> Done<()> {
        for table in [
            "CREATE TABLE revived_cart AS SELECT * FROM cart WHERE 1 = 0",
            "CREATE TABLE revived_line AS SELECT * FROM cart_line WHERE 1 = 0",
        ] {
            self.new.run(table).await?;
        }
        for cart in carts {
            let Some(header) = self.headers.get(&cart.id) else {
                continue;
            };
            for rows in [
                "INSERT INTO revived_cart SELECT * FROM cart WHERE id = $1",
                "INSERT INTO revived_line SELECT * FROM cart_line WHERE cart_id = $1",
            ] {
                self.new.execute(rows, params![header]).await?;
            }
        }
        Ok(())
    }

    /// Whether one of the bought carts is open still in the new shop, or one of the deleted there.
    pub async fn are_live(&self, bought: &[&Known], deleted: &[&Known]) -> Done<bool> {
        let open = "SELECT 1 FROM cart WHERE token = $1 AND completed_at IS NULL";
        let there = "SELECT 1 FROM cart WHERE token = $1";
        for (sql, carts) in [(open, bought), (there, deleted)] {
            for cart in carts {
                if self.new.first(sql, params![&cart.token]).await?.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Lets carts drift, in one transaction, and notes those of which a row has changed.
    pub async fn inject(&mut self, drift: &Drifting) -> Done<()> {
        let headers: Option<Vec<String>> = drift
            .carts
            .iter()
            .map(|cart| self.headers.get(&cart.id).cloned())
            .collect();
        let Some(headers) = headers else {
            return Ok(());
        };
        self.new.run("BEGIN").await?;
        match self.change(drift, &headers).await {
            Ok(Some(what)) => {
                self.new.run("COMMIT").await?;
                for cart in &drift.carts {
                    let (kind, what) = (drift.kind, what.clone());
                    self.noted.insert(cart.id, Drift { kind, what });
                }
                Ok(())
            }
            Ok(None) => self.new.run("ROLLBACK").await,
            Err(error) => {
                self.new.run("ROLLBACK").await?;
                Err(error)
            }
        }
    }

    /// What has changed; none if there was nothing that could.
    async fn change(&mut self, drift: &Drifting, headers: &[String]) -> Done<Option<String>> {
        let header = &headers[0];
        let lines = self.lines(header).await?;
        let done = match (drift.kind, drift.column, &*lines) {
            (Kind::Value, Some(column), _) => return self.value(column, header, &lines).await,
            (Kind::FlippedByte, ..) => return self.flip(header, &lines).await,
            (Kind::LineDeleted, _, [line, ..]) => {
                let delete = "DELETE FROM cart_line WHERE id = $1";
                self.new.execute(delete, params![&line.id]).await?
            }
            (Kind::CartDeleted, ..) => {
                let delete = "DELETE FROM cart_line WHERE cart_id = $1";
                self.new.execute(delete, params![header]).await?;
                let delete = "DELETE FROM cart WHERE id = $1";
                self.new.execute(delete, params![header]).await?
            }
            (Kind::LineDuplicated, _, [line, ..]) => self.duplicate(&line.id).await?,
            (Kind::ReopenedEnded, ..) => {
                let open = "UPDATE cart SET completed_at = NULL
                            WHERE id = $1 AND completed_at IS NOT NULL";
                self.new.execute(open, params![header]).await?
            }
            (Kind::RevivedDeleted, ..) => {
                let revive = "INSERT INTO cart SELECT * FROM revived_cart WHERE id = $1";
                let revived = self.new.execute(revive, params![header]).await?;
                let lines = "INSERT INTO cart_line SELECT * FROM revived_line WHERE cart_id = $1";
                self.new.execute(lines, params![header]).await?;
                revived
            }
            (Kind::SwappedWithin, _, [one, other, ..]) => self.swap_within(one, other).await?,
            (Kind::SwappedBetween, _, [one, ..]) => {
                let theirs = self.lines(&headers[1]).await?;
                let Some(other) = theirs.first() else {
                    return Ok(None);
                };
                let move_to = "UPDATE cart_line SET cart_id = $2 WHERE id = $1";
                let params = params![&one.id, &headers[1]];
                self.new.execute(move_to, params).await?;
                let params = params![&other.id, header];
                self.new.execute(move_to, params).await?
            }
            _ => 0,
        };
        Ok((done > 0).then(|| drift.kind.name().to_owned()))
    }

    async fn lines(&self, header: &str) -> Done<Vec<Line>> {
        let lines = "SELECT id, sku, name, quantity FROM cart_line WHERE cart_id = $1
                     ORDER BY source_id";
        let rows = self.new.query(lines, params![header]).await?;
        let line = |row: &Row| {
            Ok(Line {
                id: row.get(0)?,
                sku: row.get(1)?,
                name: row.get(2)?,
                quantity: row.get(3)?,
            })
        };
        rows.iter().map(line).collect()
    }

    async fn value(&self, column: Column, header: &str, lines: &[Line]) -> Done<Option<String>> {
        let Column { table, name, .. } = column;
        let Some(id) = row_of(table, header, lines) else {
            return Ok(None);
        };
        let update = |value: &str| format!("UPDATE {table} SET {name} = {value} WHERE id = $1");
        let update = Words::each(update(column.postgres), update(column.mysql));
        let changed = self.new.execute(update, params![id]).await?;
        Ok((changed > 0).then(|| format!("{table}.{name}")))
    }

    async fn flip(&mut self, header: &str, lines: &[Line]) -> Done<Option<String>> {
        let mut texts = TEXTS;
        self.rng.shuffle(&mut texts);
        for (table, name) in texts {
            let Some(id) = row_of(table, header, lines) else {
                continue;
            };
            let select = format!("SELECT {name} FROM {table} WHERE id = $1");
            let text: Option<String> = self.new.one(&*select, params![id]).await?.get(0)?;
            let Some(flipped) = text.and_then(|text| flipped(&mut self.rng, &text)) else {
                continue;
            };
            let update = format!("UPDATE {table} SET {name} = $2 WHERE id = $1");
            let changed = self.new.execute(&*update, params![id, flipped]).await?;
            return Ok((changed > 0).then(|| format!("{table}.{name}")));
        }
        Ok(None)
    }

    async fn duplicate(&mut self, line: &str) -> Done<u64> {
        let id = name(&mut self.rng, "line_");
        let insert = |text: &str| {
            format!(
                "INSERT INTO cart_line (id, cart_id, sku, name, quantity, unit_minor, line_minor,
                                        options, source_id, gift, added_at)
                 SELECT CAST($2 AS {text}), cart_id, sku, name, quantity, unit_minor, line_minor,
                        options, source_id, gift, added_at
                 FROM cart_line WHERE id = $1"
            )
        };
        let insert = Words::each(insert("text"), insert("char"));
        self.new.execute(insert, params![line, id]).await
    }

    /// Quantities, or where these are the same products.
    async fn swap_within(&self, one: &Line, other: &Line) -> Done<u64> {
        if one.quantity != other.quantity {
            let update = "UPDATE cart_line SET quantity = $2 WHERE id = $1";
            let params = params![&one.id, other.quantity];
            self.new.execute(update, params).await?;
            let params = params![&other.id, one.quantity];
            return self.new.execute(update, params).await;
        }
        if one.sku == other.sku {
            return Ok(0);
        }
        let update = "UPDATE cart_line SET sku = $2, name = $3 WHERE id = $1";
        let params = params![&one.id, &other.sku, &other.name];
        self.new.execute(update, params).await?;
        let params = params![&other.id, &one.sku, &one.name];
        self.new.execute(update, params).await
    }
}

struct Line {
    id: String,
    sku: String,
    name: String,
    quantity: i64,
}

fn row_of<'r>(table: &str, header: &'r str, lines: &'r [Line]) -> Option<&'r str> {
    match table {
        "cart" => Some(header),
        _ => lines.first().map(|line| &*line.id),
    }
}

/// The text with one bit of one byte flipped, so that it is text still; none if no bit will do.
pub fn flipped(rng: &mut Rng, text: &str) -> Option<String> {
    let mut places: Vec<(usize, u8)> = Vec::new();
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii()) {
        let bits = (0..7).map(|bit| 1 << bit);
        places.extend(
            bits.filter(|bit| (byte ^ bit).is_ascii_graphic())
                .map(|bit| (at, bit)),
        );
    }
    let (at, bit) = *places.get(rng.usize(..places.len().max(1)))?;
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= bit;
    String::from_utf8(bytes).ok()
}

/// A key as the new shop makes them.
pub fn name(rng: &mut Rng, prefix: &str) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    let rest = (0..26).map(|_| char::from(letters[rng.usize(..letters.len())]));
    prefix.chars().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_of_one_byte_flips() {
        let mut rng = Rng::with_seed(1);
        for text in [
            "a",
            "guest",
            "Customer7@example.com",
            "\u{2603} x",
            "\u{1f6aa}1",
        ] {
            for _ in 0..200 {
                let other = flipped(&mut rng, text).unwrap();
                let bits = text.bytes().zip(other.bytes());
                let bits: u32 = bits.map(|(a, b)| (a ^ b).count_ones()).sum();
                assert_eq!((bits, other.len()), (1, text.len()), "{text} {other}");
            }
        }
        assert_eq!(flipped(&mut rng, ""), None);
        assert_eq!(flipped(&mut rng, "\u{2603}"), None);
    }

    #[test]
    fn keys_have_the_shape_of_the_new_shop() {
        let made = name(&mut Rng::with_seed(2), "line_");
        assert_eq!(made.len(), 31);
        assert!(made.starts_with("line_"));
    }
}
