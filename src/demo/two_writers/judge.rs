//! What must have come of all that was meant in either shop, next to what the new shop holds. It adds
//! up what the customers noted, and knows nothing of how cartage merges.

use std::collections::{BTreeMap, BTreeSet};

use super::Carts;
use super::choice::MOST;
use crate::demo::DemoError;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// Carts that are in memory at a time.
const PAGE: i64 = 1_000;
const EXAMPLES: usize = 5;

/// What was found, in carts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    pub carts_compared: i64,
    /// Of these, carts of which the bounds alone are certain.
    pub edge_carts: i64,
    /// Carts that are not what was meant; so is a held one.
    pub different: i64,
    pub missing: i64,
    pub extra: i64,
    pub held: i64,
    /// Carts whose version is not the number of patches of the ledger and of writes of the new shop.
    pub version_wrong: i64,
    /// Carts of which the judge itself is not sure: the old shop's rows are not what its customers
    /// noted, or what was meant is beyond a bound.
    pub unsure: i64,
    /// The first carts that are not as they must be.
    pub examples: Vec<String>,
}

impl Judgement {
    pub fn all_well(&self) -> bool {
        let wrong = [
            self.different,
            self.missing,
            self.extra,
            self.held,
            self.version_wrong,
            self.unsure,
        ];
        wrong.iter().all(|count| *count == 0)
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text);
        }
    }
}

/// Sums of what was meant, by product or column.
type Meant = BTreeMap<String, i64>;

#[derive(Debug, Default)]
struct Old {
    email: String,
    lines: Meant,
    meant: Meant,
}

#[derive(Debug, Default)]
struct New {
    email: String,
    remark: String,
    note: String,
    version: i64,
    /// Rows and quantity of each product.
    lines: BTreeMap<String, (i64, i64)>,
}

/// All that is known of some carts.
#[derive(Debug, Default)]
struct Page {
    old: BTreeMap<i64, Old>,
    new: BTreeMap<i64, New>,
    /// What was meant in the new shop, and how many writes that were.
    meant: BTreeMap<i64, (Meant, i64)>,
    patches: BTreeMap<String, i64>,
    held: BTreeSet<String>,
}

/// Judges every cart of two shops that nobody writes to any more.
pub async fn judge(old: &Target, new: &Target, carts: Carts) -> Result<Judgement, DemoError> {
    let mut judgement = Judgement::default();
    let held = new.query("SELECT cart FROM cartage.held", &[]).await?;
    let held: Result<BTreeSet<String>, _> = held.iter().map(|row| row.get(0)).collect();
    let held = held?;
    judgement.held = held.len() as i64;
    for from in (0..=carts.hot + carts.edges).step_by(PAGE as usize) {
        let page = Page {
            held: held.clone(),
            ..read(old, new, from).await?
        };
        let ids: BTreeSet<i64> = page.old.keys().chain(page.new.keys()).copied().collect();
        for id in ids {
            judgement.count(id, id > carts.hot, &page);
        }
    }
    Ok(judgement)
}

impl Judgement {
    fn count(&mut self, id: i64, edge: bool, page: &Page) {
        let (Some(old), Some(new)) = (page.old.get(&id), page.new.get(&id)) else {
            let is_extra = page.new.contains_key(&id);
            self.extra += i64::from(is_extra);
            self.missing += i64::from(!is_extra);
            let found = if is_extra { "extra" } else { "missing" };
            return self.example(format!("cart {id}: {found}"));
        };
        self.carts_compared += 1;
        self.edge_carts += i64::from(edge);
        let nothing = (Meant::new(), 0);
        let (new_meant, writes) = page.meant.get(&id).unwrap_or(&nothing);
        let old_lines = products(&old.meant);
        let mut expected = old_lines.clone();
        for (sku, amount) in products(new_meant) {
            *expected.entry(sku).or_default() += amount;
        }
        let is_sure = edge || expected.values().all(|n| (0..=MOST).contains(n));
        if !is_sure || without_zeros(old_lines) != old.lines {
            self.unsure += 1;
            self.example(format!("cart {id}: the judge is not sure: {old:?}"));
        }
        let key = id.to_string();
        let wrong = match page.held.contains(&key) {
            true => Some("it is held".to_owned()),
            false => wrong_lines(edge, &without_zeros(expected), new)
                .or_else(|| wrong_values(old, new_meant, new)),
        };
        if let Some(wrong) = wrong {
            self.different += 1;
            self.example(format!("cart {id}: {wrong}"));
        }
        let patches = page.patches.get(&key).copied();
        if patches.is_none_or(|patches| patches + writes != new.version) {
            self.version_wrong += 1;
            self.example(format!(
                "cart {id}: version {} of {patches:?} patches and {writes} writes of the new shop",
                new.version
            ));
        }
    }
}

fn products(meant: &Meant) -> Meant {
    let products = meant.iter().filter(|(what, _)| what.starts_with("sku-"));
    products.map(|(what, n)| (what.clone(), *n)).collect()
}

fn without_zeros(mut lines: Meant) -> Meant {
    lines.retain(|_, quantity| *quantity != 0);
    lines
}

fn wrong_lines(edge: bool, expected: &Meant, new: &New) -> Option<String> {
    if new.lines.values().any(|(rows, _)| *rows != 1) {
        return Some(format!("a product stands on two lines: {:?}", new.lines));
    }
    let found: Meant = new
        .lines
        .iter()
        .map(|(sku, (_, n))| (sku.clone(), *n))
        .collect();
    let is_wrong = match edge {
        true => !found.values().all(|n| (1..=MOST).contains(n)),
        false => found != *expected,
    };
    is_wrong.then(|| format!("expected {expected:?}, found {found:?}"))
}

/// The email is what the old shop last said, the remark what the new one did, the note either's.
fn wrong_values(old: &Old, new_meant: &Meant, new: &New) -> Option<String> {
    let count = |meant: &Meant, what: &str| meant.get(what).copied().unwrap_or_default();
    let remark = count(new_meant, "remark").to_string();
    let notes: Vec<String> = [("old", &old.meant), ("new", new_meant)]
        .into_iter()
        .map(|(shop, meant)| (shop, count(meant, "note")))
        .filter(|(_, n)| *n > 0)
        .map(|(shop, n)| format!("{shop} {n}"))
        .collect();
    let note_is_right = match notes.is_empty() {
        true => new.note == "none",
        false => notes.contains(&new.note),
    };
    let is_right = new.email == old.email
        && old.email == count(&old.meant, "email").to_string()
        && new.remark == remark
        && note_is_right;
    (!is_right).then(|| {
        format!(
            "expected email {:?}, remark {remark:?}, a note of {notes:?}, found {:?}, {:?}, {:?}",
            old.email, new.email, new.remark, new.note
        )
    })
}

async fn read(old: &Target, new: &Target, from: i64) -> Result<Page, TargetError> {
    let mut page = Page::default();
    let to = from + PAGE;
    let span = params![from, to];
    let baskets = "SELECT id, email FROM baskets WHERE id >= $1 AND id < $2";
    for row in old.query(baskets, span).await? {
        page.old.entry(row.get(0)?).or_default().email = row.get(1)?;
    }
    let lines = "SELECT basket_id, sku, sum(quantity) FROM basket_lines
                 WHERE basket_id >= $1 AND basket_id < $2 GROUP BY basket_id, sku";
    for row in old.query(lines, span).await? {
        let lines = &mut page.old.entry(row.get(0)?).or_default().lines;
        lines.insert(row.get(1)?, row.get(2)?);
    }
    let meant = "SELECT cart_id, what, sum(amount), count(*) FROM intended
                 WHERE cart_id >= $1 AND cart_id < $2 GROUP BY cart_id, what";
    for row in old.query(meant, span).await? {
        let meant = &mut page.old.entry(row.get(0)?).or_default().meant;
        meant.insert(row.get(1)?, row.get(2)?);
    }
    for row in new.query(meant, span).await? {
        let (meant, writes) = page.meant.entry(row.get(0)?).or_default();
        meant.insert(row.get(1)?, row.get(2)?);
        *writes += row.get::<i64>(3)?;
    }
    let carts = "SELECT id, email, remark, note, version FROM cart WHERE id >= $1 AND id < $2";
    for row in new.query(carts, span).await? {
        let cart = New {
            email: row.get(1)?,
            remark: row.get(2)?,
            note: row.get(3)?,
            version: row.get(4)?,
            lines: BTreeMap::new(),
        };
        page.new.insert(row.get(0)?, cart);
    }
    let lines = "SELECT cart_id, sku, count(*), sum(quantity) FROM cart_line
                 WHERE cart_id >= $1 AND cart_id < $2 GROUP BY cart_id, sku";
    for row in new.query(lines, span).await? {
        let lines = &mut page.new.entry(row.get(0)?).or_default().lines;
        lines.insert(row.get(1)?, (row.get(2)?, row.get(3)?));
    }
    let keys: Vec<String> = (from..to).map(|id| format!("'{id}'")).collect();
    let ledger = format!(
        "SELECT cart, patches FROM cartage.ledger WHERE cart IN ({})",
        keys.join(", ")
    );
    for row in new.query(&*ledger, &[]).await? {
        page.patches.insert(row.get(0)?, row.get(1)?);
    }
    Ok(page)
}

/// Changes one line of one cart in the new shop, as no daemon and no customer would.
pub async fn sabotage(new: &Target, carts: Carts) -> Result<u64, TargetError> {
    new.execute(
        "UPDATE cart_line SET quantity = quantity + 1
         WHERE id = (SELECT id FROM (SELECT min(id) AS id FROM cart_line WHERE cart_id <= $1) AS victim)",
        params![carts.hot],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(amounts: &[(&str, i64)]) -> Meant {
        amounts.iter().map(|(k, n)| (k.to_string(), *n)).collect()
    }

    fn page() -> Page {
        let old = Old {
            email: "1".into(),
            lines: meant(&[("sku-1", 5)]),
            meant: meant(&[("sku-1", 5), ("sku-4", 0), ("email", 1), ("note", 2)]),
        };
        let new = New {
            email: "1".into(),
            remark: "0".into(),
            note: "old 2".into(),
            version: 4,
            lines: BTreeMap::from([("sku-1".into(), (1, 7)), ("sku-4".into(), (1, 1))]),
        };
        Page {
            old: BTreeMap::from([(1, old)]),
            new: BTreeMap::from([(1, new)]),
            meant: BTreeMap::from([(1, (meant(&[("sku-1", 2), ("sku-4", 1)]), 2))]),
            patches: BTreeMap::from([("1".into(), 2)]),
            held: BTreeSet::new(),
        }
    }

    fn judged(edge: bool, change: impl FnOnce(&mut Page)) -> Judgement {
        let mut page = page();
        change(&mut page);
        let mut judgement = Judgement::default();
        judgement.count(1, edge, &page);
        judgement
    }

    #[test]
    fn what_was_meant_in_both_shops_adds_up() {
        let well = judged(false, |_| {});
        assert!(well.all_well(), "{:?}", well.examples);
        assert_eq!(well.carts_compared, 1);
    }

    #[test]
    fn each_kind_of_difference_is_found() {
        let of = |page: &mut Page, change: fn(&mut New)| {
            page.new.values_mut().for_each(change);
        };
        let changes: [fn(&mut New); 6] = [
            |cart| cart.lines.extend([("sku-1".into(), (1, 6))]),
            |cart| cart.lines.extend([("sku-1".into(), (2, 7))]),
            |cart| cart.lines.retain(|sku, _| sku != "sku-4"),
            |cart| cart.email = "0".into(),
            |cart| cart.remark = "1".into(),
            |cart| cart.note = "old 1".into(),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            assert_eq!(judged(false, |page| of(page, change)).different, 1, "{n}");
        }
        let held = judged(false, |page| page.held.extend(["1".into()]));
        assert_eq!(held.different, 1);
        let twice = judged(false, |page| of(page, |cart| cart.version = 5));
        assert_eq!((twice.different, twice.version_wrong), (0, 1));
        assert_eq!(judged(false, |page| page.new.clear()).missing, 1);
        assert_eq!(judged(false, |page| page.old.clear()).extra, 1);
        let wrong = |page: &mut Page| {
            page.old.values_mut().for_each(|old| old.lines.clear());
        };
        assert_eq!(judged(false, wrong).unsure, 1);
    }

    #[test]
    fn an_edge_cart_may_be_anything_within_its_bounds() {
        let of = |line: (i64, i64)| {
            judged(true, |page| {
                page.new
                    .values_mut()
                    .for_each(|cart| cart.lines.extend([("sku-1".into(), line)]));
            })
        };
        assert!(of((1, 99)).all_well());
        assert_eq!(of((1, 100)).different, 1);
        assert_eq!(of((1, 0)).different, 1);
        assert_eq!(of((2, 9)).different, 1);
    }
}
