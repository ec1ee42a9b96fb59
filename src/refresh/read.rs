//! Reading whole carts in one short snapshot: their rows become images.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use futures_util::future::try_join_all;

use crate::cart::image::{Image, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::hash::HashMap;
use crate::lanes::item::Read;
use crate::source::change::Position;
use crate::source::{AskError, Source};
use crate::switch::{self, Mutant};

/// Reads these carts whole, in the open snapshot. Returns the number of rows too.
pub async fn carts(
    source: &Source,
    layout: &Layout,
    changed_at: Option<usize>,
    carts: &[CartKey],
) -> Result<(Vec<Read>, u64), AskError> {
    let keys: Vec<Vec<String>> = carts.iter().filter_map(CartKey::values).collect();
    if keys.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let now = Utc::now().timestamp_micros();
    let mut places: HashMap<&str, usize> = HashMap::default();
    places.reserve(carts.len());
    for (place, cart) in carts.iter().enumerate() {
        places.entry(cart.as_str()).or_insert(place);
    }
    let mut images: Vec<Option<Image>> = carts.iter().map(|_| None).collect();
    let mut rows = 0;
    // Parents come before their children, so that children find their cart.
    let mut owners: HashMap<(usize, CartKey), usize> = HashMap::default();
    let leads: Vec<bool> = (0..layout.tables.len())
        .map(|table| leads(layout, table))
        .collect();
    let mut tables = parents_first(layout);
    tables.retain(|&table| !layout.tables[table].is_made());
    // All are asked for at once: the server looks for the next ones while these are read.
    let asked = tables
        .iter()
        .map(|&table| source.rows(layout, table, &keys));
    let found = try_join_all(asked).await?;
    for (table, found) in tables.into_iter().zip(found) {
        let this = &layout.tables[table];
        rows += found.len() as u64;
        for cells in found {
            let place = match (&this.cart, &this.parent) {
                (Some(by), _) | (None, Some((Layout::HEADER, by))) => {
                    this.with_cart_key(&cells, by, |key| places.get(key).copied())
                }
                (None, Some((parent, by))) => this
                    .cart_key(&cells, by)
                    .and_then(|key| owners.get(&(*parent, key)).copied()),
                (None, None) => None,
            };
            let Some(place) = place else { continue };
            if leads[table]
                && let Some(key) = this.cart_key(&cells, &this.key)
            {
                owners.insert((table, key), place);
            }
            let stamp = now;
            let image = images[place].get_or_insert_with(|| Image::empty(layout));
            if layout.carrier() == Some(table) {
                let cells = layout.made_header(&cells);
                image.put(layout, Layout::HEADER, Row { cells, stamp });
            }
            image.put(layout, table, Row { cells, stamp });
        }
    }
    let reads = carts
        .iter()
        .zip(images)
        .map(|(cart, image)| {
            let mut image = image.filter(|image| image.header().is_some());
            let stamp = image
                .as_ref()
                .filter(|_| !switch::mutant(Mutant::ChangedAtUnread))
                .and_then(|image| {
                    let dated = image.tables[layout.dated_in()].iter();
                    let text = |row: &Row| row.cells.get(changed_at?)?.text().and_then(moment);
                    dated.filter_map(text).max()
                })
                .unwrap_or(now);
            if let Some(image) = &mut image {
                for row in image.tables.iter_mut().flatten() {
                    row.stamp = stamp;
                }
            }
            Read {
                cart: cart.clone(),
                image,
                at: Position::default(),
                stamp,
                repair: None,
            }
        })
        .collect();
    Ok((reads, rows))
}

/// Rows of some table find their cart by a row of this one.
fn leads(layout: &Layout, table: usize) -> bool {
    let by_it = |t: &Table| t.cart.is_none() && t.parent.as_ref().is_some_and(|p| p.0 == table);
    table != Layout::HEADER && layout.tables.iter().any(by_it)
}

fn parents_first(layout: &Layout) -> Vec<usize> {
    let depth = |mut table: usize| {
        let mut depth = 0;
        while let Some((parent, _)) = &layout.tables[table].parent {
            if *parent == table || depth > layout.tables.len() {
                break;
            }
            table = *parent;
            depth += 1;
        }
        depth
    };
    let mut order: Vec<usize> = (0..layout.tables.len()).collect();
    order.sort_by_key(|&table| (table != Layout::HEADER, depth(table)));
    order
}

/// A timestamp's text in microseconds since 1970 UTC; none for infinity and dates beyond reach.
fn moment(text: &str) -> Option<i64> {
    usual(text).or_else(|| {
        let aware = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z");
        let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f");
        let aware = aware.map(|t| t.timestamp_micros());
        let moment = aware.or_else(|_| naive().map(|t| t.and_utc().timestamp_micros()));
        moment.ok()
    })
}

/// The same of a text as servers mostly print it, `2026-11-29 06:00:00.123456+00`: there is one for
/// each cart of a shop.
fn usual(text: &str) -> Option<i64> {
    let text = text.strip_suffix("+00").unwrap_or(text).as_bytes();
    let (clock, fraction) = text.split_at_checked(19)?;
    let marks = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| clock[*at] != *mark) {
        return None;
    }
    let part = |from: usize, to: usize| digits(&clock[from..to]);
    let day = NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(5, 7)?, part(8, 10)?)?;
    let time = day.and_hms_opt(part(11, 13)?, part(14, 16)?, part(17, 19)?)?;
    let micros = match fraction {
        [] => 0,
        [b'.', rest @ ..] if (1..=6).contains(&rest.len()) => {
            digits(rest)? * 10u32.pow(6 - rest.len() as u32)
        }
        _ => return None,
    };
    Some(time.and_utc().timestamp_micros() + i64::from(micros))
}

/// A number of few digits, and of nothing else.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        Some(number * 10 + u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_a_zone() {
        assert_eq!(moment("1970-01-01 00:00:01.5+00"), Some(1_500_000));
        assert_eq!(moment("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(moment("1970-01-01 00:00:01.000020"), Some(1_000_020));
        assert_eq!(moment("1970-01-01 02:00:01.5+02"), Some(1_500_000));
        assert_eq!(moment("1970-01-01 01:30:00+01:30"), Some(0));
        assert_eq!(moment("1969-12-31 23:59:59.25+00"), Some(-750_000));
        assert_eq!(moment("2026-02-30 00:00:00"), None);
        assert_eq!(moment("2026-02-03 00:00:0x"), None);
        assert_eq!(moment("2026-02-03 00:00:00."), None);
        assert_eq!(moment("infinity"), None);
    }
}
