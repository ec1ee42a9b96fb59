//! One transaction of one customer, in the words of either kind of server.

use fastrand::Rng;

use super::EXPIRED_AT_ONCE;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::{Param, Words};

pub struct Desk<'a> {
    pub session: &'a Target,
    pub carts: &'a [i64],
    pub rng: &'a mut Rng,
}

/// What becomes of the worker's carts once the transaction is committed.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    Same,
    Born(i64),
    /// Of the cart at this place.
    Gone(usize),
    /// Of the oldest.
    Expired(usize),
}

type Done = Result<Outcome, TargetError>;

impl Outcome {
    pub fn on(self, carts: &mut Vec<i64>) {
        match self {
            Outcome::Same => {}
            Outcome::Born(cart) => carts.push(cart),
            Outcome::Gone(index) => drop(carts.swap_remove(index)),
            Outcome::Expired(count) => drop(carts.drain(..count)),
        }
    }
}

impl Desk<'_> {
    pub async fn serve(&mut self) -> Done {
        if self.carts.len() < 2 * EXPIRED_AT_ONCE {
            return self.create().await;
        }
        match self.rng.u32(..100) {
            0..12 => self.create().await,
            12..40 => {
                let cart = self.any();
                self.add(cart).await?;
                self.touch(cart).await
            }
            40..66 => self.change().await,
            66..80 => self.remove().await,
            80..83 => self.empty().await,
            83..88 => self.note().await,
            88..96 => self.buy().await,
            _ => self.merge().await,
        }
    }

    pub async fn expire(&mut self) -> Done {
        let count = EXPIRED_AT_ONCE.min(self.carts.len() / 2);
        let expired: Vec<String> = self.carts[..count].iter().map(i64::to_string).collect();
        if count > 0 {
            let delete = format!("DELETE FROM orders WHERE id IN ({})", expired.join(", "));
            self.session.execute(&*delete, &[]).await?;
        }
        Ok(Outcome::Expired(count))
    }

    /// Half of the visits are to recent carts, as in life.
    fn index(&mut self) -> usize {
        let recent = match self.rng.bool() {
            true => self.carts.len().min(100),
            false => self.carts.len(),
        };
        self.carts.len() - 1 - self.rng.usize(..recent)
    }

    fn any(&mut self) -> i64 {
        let index = self.index();
        self.carts[index]
    }

    async fn create(&mut self) -> Done {
        let token = format!("{:032x}", self.rng.u128(..));
        let customer = self.rng.bool().then(|| self.rng.i64(1..1_000_000));
        let email = customer.map(|id| format!("New{id}@Example.com "));
        let currency = ["EUR", "USD", "JPY", "KWD"][self.rng.usize(..4)];
        let cart = self
            .insert(
                "INSERT INTO orders (number, token, email, customer_id, currency, user_agent)
                 VALUES ($1, $2, $3, $4, $5, 'curl')",
                params![format!("N{token}"), &token, email, customer, currency],
            )
            .await?;
        for _ in 0..self.rng.u32(0..4) {
            self.add(cart).await?;
        }
        Ok(Outcome::Born(cart))
    }

    async fn add(&mut self, cart: i64) -> Result<(), TargetError> {
        let article = self.rng.i32(0..500);
        let quantity = self.rng.i32(1..5);
        let price = self.rng.i32(0..200_000);
        let options = self.rng.usize(0..3);
        let (sku, title) = (format!("SKU-{article}"), format!("Article {article}"));
        let insert = Words::each(
            "INSERT INTO line_items (order_id, sku, title, quantity, unit_price)
             VALUES ($1, $2, $3, $4, $5::int4 / 1000::numeric)",
            "INSERT INTO line_items (order_id, sku, title, quantity, unit_price)
             VALUES ($1, $2, $3, $4, $5 / 1000)",
        );
        let given = params![cart, &sku, &title, quantity, price];
        let line = self.insert(insert, given).await?;
        for (n, name) in (1..).zip(["size", "colour"]).take(options) {
            let value = format!("option {}", n + article % 5);
            self.session
                .execute(
                    "INSERT INTO line_options (line_id, name, value) VALUES ($1, $2, $3)",
                    params![line, name, &value],
                )
                .await?;
        }
        Ok(())
    }

    /// A line of a cart: `min` is its oldest, `max` its newest. Asked for by itself, for MariaDB reads
    /// the whole table where an update asks it beside.
    async fn line(&self, which: &str, cart: i64) -> Result<Option<i64>, TargetError> {
        let sql = format!("SELECT {which}(id) FROM line_items WHERE order_id = $1");
        self.session.one(&*sql, params![cart]).await?.get(0)
    }

    async fn change(&mut self) -> Done {
        let cart = self.any();
        let quantity = self.rng.i32(1..10);
        if let Some(newest) = self.line("max", cart).await? {
            let update = "UPDATE line_items SET quantity = $2 WHERE id = $1";
            let params = params![newest, quantity];
            self.session.execute(update, params).await?;
        }
        if let Some(oldest) = self.line("min", cart).await? {
            let update = "UPDATE line_options SET value = $2 WHERE name = 'size' AND line_id = $1";
            let params = params![oldest, format!("changed to {quantity}")];
            self.session.execute(update, params).await?;
        }
        self.touch(cart).await
    }

    async fn remove(&mut self) -> Done {
        let cart = self.any();
        if let Some(oldest) = self.line("min", cart).await? {
            let delete = "DELETE FROM line_items WHERE id = $1";
            self.session.execute(delete, params![oldest]).await?;
        }
        self.touch(cart).await
    }

    async fn empty(&mut self) -> Done {
        let cart = self.any();
        let delete = "DELETE FROM line_items WHERE order_id = $1";
        self.session.execute(delete, params![cart]).await?;
        self.touch(cart).await
    }

    async fn note(&mut self) -> Done {
        let cart = self.any();
        let note = self.rng.bool().then_some("Leave it at the door \u{1f6aa}");
        let update = "UPDATE orders SET note = $2 WHERE id = $1";
        self.session.execute(update, params![cart, note]).await?;
        self.touch(cart).await
    }

    async fn buy(&mut self) -> Done {
        let index = self.index();
        self.session
            .execute(
                "UPDATE orders SET state = 'complete', completed_at = CURRENT_TIMESTAMP(6),
                        updated_at = CURRENT_TIMESTAMP(6)
                 WHERE id = $1",
                params![self.carts[index]],
            )
            .await?;
        Ok(Outcome::Gone(index))
    }

    /// A guest signs in: the lines that the customer's cart lacks move there, the others add
    /// their quantity to its lines, and the guest's cart goes.
    async fn merge(&mut self) -> Done {
        let index = self.index();
        let guest = self.carts[index];
        let customer = self.any();
        if customer == guest {
            return self.touch(customer).await;
        }
        let both = Words::each(
            "UPDATE line_items AS mine SET quantity = mine.quantity + theirs.quantity
             FROM line_items AS theirs
             WHERE mine.order_id = $1 AND theirs.order_id = $2 AND theirs.sku = mine.sku",
            "UPDATE line_items AS mine JOIN line_items AS theirs ON theirs.sku = mine.sku
             SET mine.quantity = mine.quantity + theirs.quantity
             WHERE mine.order_id = $1 AND theirs.order_id = $2",
        );
        self.session.execute(both, params![customer, guest]).await?;
        self.session
            .execute(
                "UPDATE line_items SET order_id = $1
                 WHERE order_id = $2
                   AND sku NOT IN (SELECT sku FROM (SELECT sku FROM line_items
                                                    WHERE order_id = $1) AS mine)",
                params![customer, guest],
            )
            .await?;
        let delete = "DELETE FROM orders WHERE id = $1";
        self.session.execute(delete, params![guest]).await?;
        self.touch(customer).await?;
        Ok(Outcome::Gone(index))
    }

    /// A row whose id the server draws; says which it drew.
    async fn insert<'w>(
        &self,
        words: impl Into<Words<'w>>,
        params: &[Param<'_>],
    ) -> Result<i64, TargetError> {
        let mut words = words.into();
        match self.session {
            Target::Postgres(_) => {
                words.postgres.to_mut().push_str(" RETURNING id");
                self.session.one(words, params).await?.get(0)
            }
            Target::Mysql(_) => {
                self.session.execute(words, params).await?;
                self.session
                    .one("SELECT LAST_INSERT_ID()", &[])
                    .await?
                    .get(0)
            }
        }
    }

    async fn touch(&mut self, cart: i64) -> Done {
        let update = "UPDATE orders SET updated_at = CURRENT_TIMESTAMP(6) WHERE id = $1";
        self.session.execute(update, params![cart]).await?;
        Ok(Outcome::Same)
    }
}
