//! One customer after the other: each action as SQL, and as what it does to the storefront's log.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fastrand::Rng;

use super::model::{Cart, Carts, Line};
use super::storefront::{Habits, Shared};

const CURRENCIES: [&str; 3] = ["EUR", "JPY", "KWD"];
const NAMES: [&str; 2] = ["size", "colour"];
/// More than the new shop takes.
const TOO_MANY: i64 = 5000;
const FEWEST: usize = 30;
const MOST: usize = 80;

pub struct Customer {
    rng: Rng,
    shared: Arc<Shared>,
    habits: Habits,
}

impl Customer {
    pub fn new(rng: Rng, shared: Arc<Shared>, habits: Habits) -> Self {
        Self {
            rng,
            shared,
            habits,
        }
    }

    /// One transaction. An empty one where what was drawn cannot be done.
    pub fn serve(&mut self, carts: &mut Carts) -> String {
        if self.shared.mending.load(Ordering::Relaxed) {
            if let Some(sql) = mend(carts) {
                return sql;
            }
        } else if take_one(&self.shared.poison) {
            return self.quantity(carts, TOO_MANY);
        }
        let live = carts.values().filter(|cart| !cart.bought).count();
        match live {
            ..FEWEST => return self.create(carts),
            MOST.. => return self.expire(carts),
            _ => {}
        }
        let plain = self.habits == Habits::Plain;
        match self.rng.u32(..100) {
            0..14 => self.create(carts),
            14..30 => self.add(carts),
            30..48 => {
                let quantity = self.rng.i64(1..10);
                self.quantity(carts, quantity)
            }
            48..56 => self.remove(carts),
            56..59 => self.empty(carts),
            59..65 => self.note(carts),
            65..71 => self.save_again(carts),
            71..76 => self.buy(carts),
            76..79 => self.delete(carts),
            79..83 => self.perk(carts),
            83..84 => self.expire(carts),
            _ if plain => self.add(carts),
            84..91 => self.merge(carts),
            91..94 => self.pass_on(carts),
            94..97 => self.rename(carts),
            _ => self.reopen(carts),
        }
    }

    fn any(&mut self, carts: &Carts, bought: bool) -> Option<i64> {
        let ids: Vec<i64> = carts
            .iter()
            .filter(|(_, cart)| cart.bought == bought)
            .map(|(id, _)| *id)
            .collect();
        (!ids.is_empty()).then(|| ids[self.rng.usize(..ids.len())])
    }

    pub fn create(&mut self, carts: &mut Carts) -> String {
        let id = self.shared.number();
        let email = self.rng.bool().then(|| format!(" Someone{id}@Example.com"));
        let cart = Cart {
            token: format!("t{:016x}", self.rng.u64(..)),
            email,
            currency: CURRENCIES[self.rng.usize(..CURRENCIES.len())],
            note: None,
            bought: false,
            unread: !self.shared.backfilled.load(Ordering::Relaxed),
            early: false,
            lines: Default::default(),
            perks: Default::default(),
            effects: 0,
        };
        let mut sql = format!(
            "INSERT INTO carts (id, token, email, currency) VALUES ({id}, '{}', {}, '{}');",
            cart.token,
            literal(cart.email.as_deref()),
            cart.currency
        );
        carts.insert(id, cart);
        for _ in 0..self.rng.u32(..4) {
            sql += &self.add_to(carts, id);
        }
        sql
    }

    fn add(&mut self, carts: &mut Carts) -> String {
        match self.any(carts, false) {
            Some(id) => self.add_to(carts, id),
            None => String::new(),
        }
    }

    fn add_to(&mut self, carts: &mut Carts, cart: i64) -> String {
        let id = self.shared.number();
        let mut line = Line {
            sku: self.rng.u32(..50),
            quantity: self.rng.i64(1..5),
            price: self.rng.i64(0..200_000),
            options: Default::default(),
        };
        let mut sql = format!(
            "INSERT INTO lines VALUES ({id}, {cart}, 'SKU-{}', {}, {}::numeric / 1000);",
            line.sku, line.quantity, line.price
        );
        for name in &NAMES[..self.rng.usize(..=NAMES.len())] {
            let value = format!("v{}", self.rng.u32(..9));
            let number = self.shared.number();
            let _ = write!(
                sql,
                "INSERT INTO options VALUES ({number}, {id}, '{name}', '{value}');"
            );
            line.options.insert(name, value);
        }
        if let Some(cart) = carts.get_mut(&cart) {
            cart.lines.insert(id, line);
        }
        sql
    }

    fn quantity(&mut self, carts: &mut Carts, quantity: i64) -> String {
        let Some(cart) = self.any(carts, false).and_then(|id| carts.get_mut(&id)) else {
            return String::new();
        };
        let Some((id, line)) = cart.lines.iter_mut().next_back() else {
            return String::new();
        };
        line.quantity = quantity;
        let mut sql = format!("UPDATE lines SET quantity = {quantity} WHERE id = {id};");
        if let Some(value) = line.options.get_mut("size") {
            *value = format!("v{quantity}");
            let _ = write!(
                sql,
                "UPDATE options SET value = 'v{quantity}' WHERE line_id = {id} AND name = 'size';"
            );
        }
        sql
    }

    fn remove(&mut self, carts: &mut Carts) -> String {
        let cart = self.any(carts, false).and_then(|id| carts.get_mut(&id));
        match cart.and_then(|cart| cart.lines.pop_first()) {
            Some((id, _)) => format!("DELETE FROM lines WHERE id = {id};"),
            None => String::new(),
        }
    }

    fn empty(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, false) else {
            return String::new();
        };
        carts.get_mut(&id).unwrap().lines.clear();
        format!("DELETE FROM lines WHERE cart_id = {id};")
    }

    fn note(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, false) else {
            return String::new();
        };
        let note = self
            .rng
            .bool()
            .then(|| format!("door {}", self.rng.u32(..9)));
        let sql = format!(
            "UPDATE carts SET note = {} WHERE id = {id};",
            literal(note.as_deref())
        );
        carts.get_mut(&id).unwrap().note = note;
        sql
    }

    fn save_again(&mut self, carts: &mut Carts) -> String {
        match self.any(carts, false) {
            Some(id) => format!(
                "UPDATE carts SET saved = saved + 1, note = note WHERE id = {id};
                 UPDATE lines SET quantity = quantity WHERE cart_id = {id};"
            ),
            None => String::new(),
        }
    }

    fn buy(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, false) else {
            return String::new();
        };
        let cart = carts.get_mut(&id).unwrap();
        if cart.lines.values().any(|line| line.quantity == TOO_MANY) {
            return String::new();
        }
        cart.bought = true;
        cart.early = cart.unread || !self.shared.backfilled.load(Ordering::Relaxed);
        format!("UPDATE carts SET state = 'bought' WHERE id = {id};")
    }

    /// The order is cancelled, and is a cart again.
    fn reopen(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, true) else {
            return String::new();
        };
        let cart = carts.get_mut(&id).unwrap();
        (cart.bought, cart.unread) = (false, true);
        format!("UPDATE carts SET state = 'cart' WHERE id = {id};")
    }

    fn delete(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, false) else {
            return String::new();
        };
        carts.remove(&id);
        format!("DELETE FROM carts WHERE id = {id};")
    }

    /// The oldest carts go by one DELETE.
    fn expire(&mut self, carts: &mut Carts) -> String {
        let live = carts.iter().filter(|(_, cart)| !cart.bought);
        let oldest: Vec<i64> = live.map(|(id, _)| *id).take(25).collect();
        let last = oldest.last().copied().unwrap_or_default();
        let mut list = String::new();
        for id in &oldest {
            carts.remove(id);
            let _ = write!(list, "{id}, ");
        }
        format!("DELETE FROM carts WHERE id IN ({list}{last});")
    }

    fn perk(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, false) else {
            return String::new();
        };
        let cart = carts.get_mut(&id).unwrap();
        if self.rng.bool()
            && let Some((perk, _)) = cart.perks.pop_first()
        {
            return format!("DELETE FROM perks WHERE id = {perk};");
        }
        let perk = self.shared.number();
        cart.perks.insert(perk, "free".to_owned());
        format!("INSERT INTO perks VALUES ({perk}, {id}, 'free');")
    }

    /// A guest signs in: lines that the customer's cart lacks move there, the others add their
    /// quantity to its lines, and the guest's cart goes.
    fn merge(&mut self, carts: &mut Carts) -> String {
        let (Some(guest), Some(customer)) = (self.any(carts, false), self.any(carts, false)) else {
            return String::new();
        };
        if guest == customer {
            return String::new();
        }
        let gone = carts.remove(&guest).unwrap();
        let cart = carts.get_mut(&customer).unwrap();
        cart.unread = true;
        let mut sql = String::new();
        for (id, theirs) in gone.lines {
            let mut same = cart.lines.iter_mut().filter(|(_, it)| it.sku == theirs.sku);
            if let Some((mine, line)) = same.next() {
                line.quantity = theirs.quantity;
                let quantity = line.quantity;
                let _ = write!(
                    sql,
                    "UPDATE lines SET quantity = {quantity} WHERE id = {mine};"
                );
            } else {
                cart.lines.insert(id, theirs);
                let _ = write!(
                    sql,
                    "UPDATE lines SET cart_id = {customer} WHERE id = {id};"
                );
            }
        }
        let _ = write!(sql, "DELETE FROM carts WHERE id = {guest};");
        sql
    }

    /// A line moves to another cart; both stay.
    fn pass_on(&mut self, carts: &mut Carts) -> String {
        let (Some(from), Some(to)) = (self.any(carts, false), self.any(carts, false)) else {
            return String::new();
        };
        let Some((id, line)) = carts.get_mut(&from).unwrap().lines.pop_last() else {
            return String::new();
        };
        let to_cart = carts.get_mut(&to).unwrap();
        to_cart.unread |= to != from;
        to_cart.lines.insert(id, line);
        format!("UPDATE lines SET cart_id = {to} WHERE id = {id};")
    }

    /// The cart gets another number, and its rows follow.
    fn rename(&mut self, carts: &mut Carts) -> String {
        let Some(id) = self.any(carts, false) else {
            return String::new();
        };
        let new = self.shared.number();
        let mut cart = carts.remove(&id).unwrap();
        cart.unread = true;
        carts.insert(new, cart);
        format!("UPDATE carts SET id = {new} WHERE id = {id};")
    }
}

/// Whether any line is still more than the new shop takes.
pub fn poisoned(carts: &Carts) -> bool {
    let mut lines = carts.values().flat_map(|cart| cart.lines.values());
    lines.any(|line| line.quantity == TOO_MANY)
}

fn mend(carts: &mut Carts) -> Option<String> {
    for cart in carts.values_mut() {
        for (id, line) in &mut cart.lines {
            if line.quantity == TOO_MANY {
                line.quantity = 7;
                return Some(format!("UPDATE lines SET quantity = 7 WHERE id = {id};"));
            }
        }
    }
    None
}

/// Counts down, and says whether there was one.
pub fn take_one(counter: &std::sync::atomic::AtomicU64) -> bool {
    let less = |n: u64| n.checked_sub(1);
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

fn literal(text: Option<&str>) -> String {
    text.map_or("NULL".to_owned(), |text| format!("'{text}'"))
}
