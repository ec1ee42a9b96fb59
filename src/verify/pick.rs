//! A sample of the live carts, without a scan: random points in the range of the keys, a few carts
//! behind each; half of these by chance, half from windows of equal length over the time of their last
//! change, so that the latest carts and the oldest ones are among them whatever their number.

use uuid::Uuid;

use super::{Verifier, VerifyError, since};
use crate::cart::key::CartKey;
use crate::hash::{HashMap, HashSet};
use crate::source::session::Peeked;
use crate::sqltype::Class;

/// Carts that a point passes.
const PASSED: usize = 20;
/// How many times as many carts are passed as are wanted.
const CHOICE: usize = 4;
/// Points at the least.
const POINTS: usize = 50;
/// Carts passed at once, and how often, where the points find too few.
const PAGE: usize = 5_000;
const PAGES: usize = 40;
/// Windows of time.
const WINDOWS: usize = 24;

/// Live carts with the time of their last change, where it is known.
type Found = HashMap<CartKey, Option<i64>>;

pub(super) async fn sample(
    verifier: &Verifier<'_>,
    number: u64,
) -> Result<Vec<CartKey>, VerifyError> {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let Verifier { source, mapper, .. } = verifier;
    let mapping = &mapper.mapping;
    let (table, key) = mapping.layout.named_in();
    let class = key.first().map(|&c| table.columns[c].ty.class);
    let mut found = Found::default();
    if let (Some(class), Some((low, high))) = (class, source.bounds(&mapping.layout).await?) {
        let points = (number.saturating_mul(CHOICE) / PASSED).max(POINTS);
        for _ in 0..points {
            let Some(point) = point(class, &low, &high) else {
                break;
            };
            let after = CartKey::of([point.as_str()]);
            let passed = peek(verifier, Some(&after), PASSED).await?;
            put(verifier, &mut found, passed);
        }
    }
    let mut after: Option<CartKey> = None;
    for _ in 0..PAGES {
        if found.len() >= number {
            break;
        }
        let passed = peek(verifier, after.as_ref(), PAGE).await?;
        let Some(last) = passed.last() else { break };
        after = Some(last.cart.clone());
        put(verifier, &mut found, passed);
    }
    Ok(choose(found, number))
}

async fn peek(
    verifier: &Verifier<'_>,
    after: Option<&CartKey>,
    most: usize,
) -> Result<Vec<Peeked>, VerifyError> {
    let mapping = &verifier.mapper.mapping;
    let (live, dated) = (mapping.live.as_ref(), mapping.changed_at);
    let passed = verifier
        .source
        .peek(&mapping.layout, live, dated, after, most);
    Ok(passed.await?)
}

fn put(verifier: &Verifier<'_>, found: &mut Found, passed: Vec<Peeked>) {
    let zone = verifier.mapper.mapping.time_zone;
    for cart in passed.into_iter().filter(|cart| cart.live) {
        let changed = cart.changed_at.and_then(|text| since::micros(&text, zone));
        found.insert(cart.cart, changed);
    }
}

/// A random key between two others, as the server reads it; none of types of which nobody knows how.
fn point(class: Class, low: &str, high: &str) -> Option<String> {
    if let (Ok(low), Ok(high)) = (low.parse::<i128>(), high.parse::<i128>())
        && !matches!(class, Class::Text | Class::Char)
    {
        // What comes after the point is asked for.
        return Some(fastrand::i128(low.checked_sub(1)?..high.max(low)).to_string());
    }
    match class {
        Class::Uuid => {
            let [low, high] = [low, high].map(|text| Uuid::parse_str(text).map(|u| u.as_u128()));
            let between = fastrand::u128(low.ok()?..=high.ok()?);
            Some(Uuid::from_u128(between).to_string())
        }
        Class::Text | Class::Char => Some(between(low, high)),
        _ => None,
    }
}

/// What two texts begin with alike, a letter between their next ones, and some of those that they are
/// made of.
fn between(low: &str, high: &str) -> String {
    const MORE: usize = 6;
    let letters: Vec<char> = low
        .chars()
        .chain(high.chars())
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let alike = low.chars().zip(high.chars()).take_while(|(a, b)| a == b);
    let mut text: String = alike.map(|(a, _)| a).collect();
    let next = |of: &str| of.chars().nth(text.chars().count());
    let (from, to) = (next(low).unwrap_or('0'), next(high).unwrap_or('z'));
    if from.is_ascii() && to.is_ascii() && from < to {
        let letter = fastrand::u8(from as u8..=to as u8) as char;
        text.push(if letter == '\\' || letter.is_ascii_control() {
            '0'
        } else {
            letter
        });
    }
    for _ in 0..MORE {
        let class = match letters.get(fastrand::usize(0..letters.len().max(1))) {
            Some(letter) if letter.is_ascii_digit() => fastrand::digit(10),
            Some(letter) if letter.is_ascii_uppercase() => fastrand::uppercase(),
            _ => fastrand::lowercase(),
        };
        text.push(class);
    }
    text
}

fn choose(found: Found, number: usize) -> Vec<CartKey> {
    let mut carts: Vec<(CartKey, Option<i64>)> = found.into_iter().collect();
    fastrand::shuffle(&mut carts);
    if carts.len() <= number {
        return carts.into_iter().map(|(cart, _)| cart).collect();
    }
    let times: Vec<i64> = carts.iter().filter_map(|(_, changed)| *changed).collect();
    let mut chosen: HashSet<CartKey> = HashSet::default();
    if let (Some(first), Some(last)) = (times.iter().min(), times.iter().max())
        && first < last
    {
        let length = last.abs_diff(*first) / WINDOWS as u64 + 1;
        let mut windows: Vec<Vec<&CartKey>> = vec![Vec::new(); WINDOWS];
        for (cart, changed) in &carts {
            let window = changed.map(|changed| changed.abs_diff(*first) / length);
            let window = window.and_then(|window| usize::try_from(window).ok());
            if let Some(window) = window.and_then(|window| windows.get_mut(window)) {
                window.push(cart);
            }
        }
        // The windows take turns; those that are empty let the others have theirs.
        while chosen.len() < number / 2 && windows.iter().any(|window| !window.is_empty()) {
            for window in &mut windows {
                if chosen.len() < number / 2 {
                    chosen.extend(window.pop().cloned());
                }
            }
        }
    }
    for (cart, _) in carts {
        if chosen.len() >= number {
            break;
        }
        chosen.insert(cart);
    }
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_between_the_first_and_the_last_key() {
        for _ in 0..1_000 {
            let number = point(Class::Int8, "7", "12").and_then(|text| text.parse::<i64>().ok());
            assert!(number.is_some_and(|n| (6..12).contains(&n)), "{number:?}");
            assert_eq!(point(Class::Int8, "7", "7").as_deref(), Some("6"));
            let low = "00000000-0000-4000-8000-000000000000";
            let high = "7fffffff-0000-4000-8000-000000000000";
            let uuid = point(Class::Uuid, low, high).expect("a uuid");
            assert!(low <= uuid.as_str() && uuid.as_str() <= high, "{uuid}");
            let text = point(Class::Text, "cart_a1", "cart_k9").expect("a text");
            assert!(text.starts_with("cart_"), "{text}");
            let letter = text.chars().nth(5).expect("one more");
            assert!(('a'..='k').contains(&letter), "{text}");
        }
        assert_eq!(point(Class::Bytea, "\\x00", "\\xff"), None);
    }

    #[test]
    fn half_of_a_sample_is_spread_over_time() {
        // A thousand carts of last year's first day, ten of its last.
        let key = |n: i64| CartKey::of([n.to_string().as_str()]);
        let mut found = Found::default();
        found.extend((0..1_000).map(|n| (key(n), Some(n))));
        found.extend((1_000..1_010).map(|n| (key(n), Some(n + 1_000_000))));
        let chosen = choose(found.clone(), 40);
        assert_eq!(chosen.len(), 40);
        let late = (1_000..1_010).filter(|n| chosen.contains(&key(*n))).count();
        assert_eq!(late, 10, "the two windows take turns");
        assert_eq!(choose(found.clone(), 5_000).len(), 1_010);
        let undated: Found = found.into_keys().map(|cart| (cart, None)).collect();
        assert_eq!(choose(undated, 40).len(), 40);
    }
}
