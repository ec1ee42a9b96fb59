//! What may be done to the tables of a shop, drawn by a seed: changes that nothing has to stop for, and
//! changes of names with the way back.

use cartage::config::Kind;
use fastrand::Rng;

use super::storefront::Names;

/// Types between which the values of an added column can go to and fro.
const TYPES: [&str; 4] = ["INT", "BIGINT", "VARCHAR(40)", "DECIMAL(12,2)"];

/// A column that nothing maps.
struct Added {
    table: Table,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Quote,
    Item,
}

/// The old shop's schema as far as moves depend on it.
pub struct Source {
    kind: Kind,
    pub names: Names,
    added: Vec<Added>,
    indexes: Vec<(Table, String)>,
    partitions: Vec<String>,
    numbers: u32,
}

/// What is run in one go. Alone: while no customer is in the shop.
pub struct Move {
    pub sql: String,
    pub alone: bool,
}

/// Something gets another name, until it is brought back.
pub struct Renaming {
    pub sql: String,
    pub back: String,
    pub new: String,
    pub names: Names,
}

impl Source {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            names: Names::default(),
            added: Vec::new(),
            indexes: Vec::new(),
            partitions: Vec::new(),
            numbers: 0,
        }
    }

    fn is_postgres(&self) -> bool {
        self.kind == Kind::Postgres
    }

    fn next(&mut self, what: &str) -> String {
        self.numbers += 1;
        format!("{what}{}", self.numbers)
    }

    fn name(&self, table: Table) -> &str {
        match table {
            Table::Quote => &self.names.quote,
            Table::Item => &self.names.item,
        }
    }

    /// A change that the mapping bears.
    pub fn quiet(&mut self, rng: &mut Rng) -> Move {
        let table = if rng.bool() {
            Table::Quote
        } else {
            Table::Item
        };
        let sql = match rng.u32(..12) {
            0..2 => self.add(table, rng),
            2 => self.drop_added(table, rng),
            3 => self.rename_added(table, rng),
            4 => self.retype_added(table, rng),
            5..7 => self.widen(rng),
            7 => self.index(table, rng),
            8 => self.rebuild(table, rng),
            9 => self.again(rng),
            10 => self.partition(rng),
            _ if self.is_postgres() => self.partition(rng),
            _ => return self.copy(rng),
        };
        Move { sql, alone: false }
    }

    /// Where a column comes to stand, on MySQL.
    fn place(&self, rng: &mut Rng) -> &'static str {
        match self.kind {
            Kind::Postgres => "",
            Kind::Mysql => ["", " FIRST", " AFTER id"][rng.usize(..3)],
        }
    }

    /// How the server is to do it. What it cannot do in one way is tried without.
    fn way(&self, rng: &mut Rng) -> &'static str {
        match self.kind {
            Kind::Postgres => "",
            Kind::Mysql => ["", ", ALGORITHM=INSTANT", ", ALGORITHM=COPY"][rng.usize(..3)],
        }
    }

    fn add(&mut self, table: Table, rng: &mut Rng) -> String {
        let name = self.next("added");
        let ty = TYPES[rng.usize(..TYPES.len())];
        let rest = ["", " DEFAULT 5", " DEFAULT 6 NOT NULL"][rng.usize(..3)];
        let sql = format!(
            "ALTER TABLE {} ADD COLUMN {name} {ty}{rest}{}{}",
            self.name(table),
            self.place(rng),
            self.way(rng)
        );
        self.added.push(Added { table, name });
        sql
    }

    fn pick(&mut self, rng: &mut Rng) -> Option<usize> {
        (!self.added.is_empty()).then(|| rng.usize(..self.added.len()))
    }

    fn drop_added(&mut self, table: Table, rng: &mut Rng) -> String {
        let Some(at) = self.pick(rng) else {
            return self.add(table, rng);
        };
        let Added { table, name } = self.added.swap_remove(at);
        let way = self.way(rng);
        format!("ALTER TABLE {} DROP COLUMN {name}{way}", self.name(table))
    }

    fn rename_added(&mut self, table: Table, rng: &mut Rng) -> String {
        let Some(at) = self.pick(rng) else {
            return self.add(table, rng);
        };
        let name = self.next("renamed");
        let was = std::mem::replace(&mut self.added[at].name, name.clone());
        let table = self.name(self.added[at].table);
        format!("ALTER TABLE {table} RENAME COLUMN {was} TO {name}")
    }

    fn retype_added(&mut self, table: Table, rng: &mut Rng) -> String {
        let Some(at) = self.pick(rng) else {
            return self.add(table, rng);
        };
        let ty = TYPES[rng.usize(..TYPES.len())];
        let Added { table, name } = &self.added[at];
        let table = self.name(*table);
        match self.kind {
            Kind::Postgres => format!(
                "ALTER TABLE {table} ALTER {name} DROP DEFAULT, ALTER {name} TYPE {ty} USING {name}::numeric::{ty},
                     ALTER {name} SET DEFAULT 7"
            ),
            Kind::Mysql => format!(
                "ALTER TABLE {table} MODIFY {name} {ty} DEFAULT 7{}",
                self.place(rng)
            ),
        }
    }

    /// A mapped column becomes wider, or narrower again, or stands elsewhere.
    fn widen(&mut self, rng: &mut Rng) -> String {
        let Names {
            quote,
            email,
            item,
            sku,
            qty,
            price,
            ..
        } = &self.names;
        let (table, name, types, not_null) = match rng.u32(..4) {
            0 => (item, qty, ["INT", "BIGINT"], " NOT NULL"),
            1 => (item, sku, ["VARCHAR(40)", "VARCHAR(280)"], " NOT NULL"),
            2 => (item, price, ["DECIMAL(12,3)", "DECIMAL(15,4)"], " NOT NULL"),
            _ => (quote, email, ["VARCHAR(60)", "VARCHAR(99)"], ""),
        };
        let ty = types[rng.usize(..2)];
        match self.kind {
            Kind::Postgres => format!("ALTER TABLE {table} ALTER {name} TYPE {ty}"),
            Kind::Mysql => format!(
                "ALTER TABLE {table} MODIFY {name} {ty}{not_null}{}{}",
                self.place(rng),
                self.way(rng)
            ),
        }
    }

    fn index(&mut self, table: Table, rng: &mut Rng) -> String {
        if !self.indexes.is_empty() && rng.bool() {
            let (table, name) = self.indexes.swap_remove(rng.usize(..self.indexes.len()));
            return match self.kind {
                Kind::Postgres => format!("DROP INDEX {name}"),
                Kind::Mysql => format!("DROP INDEX {name} ON {}", self.name(table)),
            };
        }
        let name = self.next("by_column");
        let column = match table {
            Table::Quote => &self.names.email,
            Table::Item => &self.names.sku,
        };
        let sql = format!("CREATE INDEX {name} ON {} ({column})", self.name(table));
        self.indexes.push((table, name));
        sql
    }

    /// Nothing is otherwise after it.
    fn rebuild(&mut self, table: Table, rng: &mut Rng) -> String {
        let table = self.name(table);
        match (self.kind, rng.bool()) {
            (Kind::Postgres, true) => format!("COMMENT ON TABLE {table} IS 'as it was'"),
            (Kind::Postgres, false) => format!("CLUSTER {} USING quote_pkey", self.names.quote),
            (Kind::Mysql, true) => format!("ALTER TABLE {table} ENGINE = InnoDB"),
            (Kind::Mysql, false) => format!("ALTER TABLE {table} FORCE, COMMENT = 'as it was'"),
        }
    }

    /// A mapped column goes and comes in one statement: all its values are others, and none is logged.
    fn again(&mut self, rng: &mut Rng) -> String {
        let Names { item, qty, sku, .. } = &self.names;
        let (column, ty) = match rng.bool() {
            true => (qty, "INT NOT NULL DEFAULT 4"),
            false => (sku, "VARCHAR(40) NOT NULL DEFAULT 'anew'"),
        };
        // An index over the column goes with it.
        if column == sku {
            self.indexes.retain(|(table, _)| *table == Table::Quote);
        }
        format!("ALTER TABLE {item} DROP COLUMN {column}, ADD COLUMN {column} {ty}")
    }

    /// Rows come with a partition that is attached, and go with one that is detached.
    fn partition(&mut self, rng: &mut Rng) -> String {
        let Names {
            quote,
            item,
            quote_id,
            sku,
            qty,
            price,
            ..
        } = &self.names;
        if !self.is_postgres() {
            let parts = rng.u32(2..5);
            return match rng.bool() {
                true => format!("ALTER TABLE {item} PARTITION BY HASH (id) PARTITIONS {parts}"),
                false => format!("ALTER TABLE {item} PARTITION BY KEY (id) PARTITIONS {parts}"),
            };
        }
        if self.partitions.len() > 1 || !self.partitions.is_empty() && rng.bool() {
            let name = self.partitions.swap_remove(0);
            return format!("ALTER TABLE {item} DETACH PARTITION {name}; DROP TABLE {name}");
        }
        let n = self.numbers + 1;
        let (from, to) = (2_000_000 + n * 1_000, 2_001_000 + n * 1_000);
        let sql = format!(
            "CREATE TABLE part{n} (LIKE {item} INCLUDING ALL);
             ALTER TABLE part{n} REPLICA IDENTITY FULL;
             INSERT INTO part{n} (id, {quote_id}, {sku}, {qty}, {price})
                 SELECT {from} + row_number() OVER (), id, 'parted', 3, 1.5 FROM {quote}
                 WHERE status = 'cart' ORDER BY id LIMIT 9;
             ALTER TABLE {item} ATTACH PARTITION part{n} FOR VALUES FROM ({from}) TO ({to})"
        );
        let name = self.next("part");
        self.partitions.push(name);
        sql
    }

    /// The table is changed for a copy of itself that has something otherwise (MySQL).
    fn copy(&mut self, rng: &mut Rng) -> Move {
        let n = self.next("");
        let Names {
            item,
            quote_id,
            sku,
            qty,
            price,
            ..
        } = &self.names;
        let columns = format!("id, {quote_id}, {sku}, {qty}, {price}");
        let name = format!("added{n}");
        let sql = format!(
            "CREATE TABLE copy{n} LIKE {item};
             ALTER TABLE copy{n} ADD COLUMN {name} INT DEFAULT 5{};
             INSERT INTO copy{n} ({columns}) SELECT {columns} FROM {item};
             RENAME TABLE {item} TO gone{n}, copy{n} TO {item}; DROP TABLE gone{n}",
            self.place(rng)
        );
        self.added.push(Added {
            table: Table::Item,
            name,
        });
        Move { sql, alone: true }
    }

    /// A mapped table or column gets another name.
    pub fn renaming(&mut self, rng: &mut Rng) -> Renaming {
        let mut names = self.names.clone();
        let new = self.next("other") + "x";
        let (column, old) = match rng.u32(..7) {
            0 => (false, std::mem::replace(&mut names.item, new.clone())),
            1 => (false, std::mem::replace(&mut names.quote, new.clone())),
            2 => (true, std::mem::replace(&mut names.sku, new.clone())),
            3 => (true, std::mem::replace(&mut names.qty, new.clone())),
            4 => (true, std::mem::replace(&mut names.price, new.clone())),
            5 => (true, std::mem::replace(&mut names.quote_id, new.clone())),
            _ => (true, std::mem::replace(&mut names.email, new.clone())),
        };
        let table = match names.email == self.names.email {
            true => &names.item,
            false => &names.quote,
        };
        let rename = |from: &str, to: &str| match (column, self.kind) {
            (true, _) => format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"),
            (false, Kind::Postgres) => format!("ALTER TABLE {from} RENAME TO {to}"),
            (false, Kind::Mysql) => format!("RENAME TABLE {from} TO {to}"),
        };
        Renaming {
            sql: rename(&old, &new),
            back: rename(&new, &old),
            new,
            names,
        }
    }
}

/// Changes of the new shop: what it bears, and a change of a name with the way back.
pub struct Target {
    kind: Kind,
    added: Vec<(&'static str, String)>,
    numbers: u32,
}

impl Target {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            added: Vec::new(),
            numbers: 0,
        }
    }

    pub fn quiet(&mut self, rng: &mut Rng) -> String {
        self.numbers += 1;
        let n = self.numbers;
        let table = if rng.bool() { "cart" } else { "line" };
        match rng.u32(..4) {
            0 if !self.added.is_empty() => {
                let (table, name) = self.added.swap_remove(rng.usize(..self.added.len()));
                format!("ALTER TABLE {table} DROP COLUMN {name}")
            }
            0..2 => {
                let name = format!("more{n}");
                let rest = ["", " DEFAULT 5 NOT NULL"][rng.usize(..2)];
                let sql = format!("ALTER TABLE {table} ADD COLUMN {name} INT{rest}");
                self.added.push((table, name));
                sql
            }
            2 => format!("CREATE INDEX of_{table}{n} ON {table} (id)"),
            _ => {
                let (name, types) = [
                    ("qty", ["INT", "BIGINT"]),
                    ("sku", ["VARCHAR(40)", "VARCHAR(90)"]),
                    ("price", ["DECIMAL(14,4)", "DECIMAL(18,6)"]),
                ][rng.usize(..3)];
                let ty = types[rng.usize(..2)];
                match self.kind {
                    Kind::Postgres => format!("ALTER TABLE line ALTER {name} TYPE {ty}"),
                    Kind::Mysql => format!("ALTER TABLE line MODIFY {name} {ty} NOT NULL"),
                }
            }
        }
    }

    /// The change, the way back, and the new name.
    pub fn renaming(&mut self, rng: &mut Rng) -> [String; 3] {
        self.numbers += 1;
        let new = format!("other{}x", self.numbers);
        let (table, column) = [
            ("line", Some("sku")),
            ("line", Some("cart_id")),
            ("cart", Some("email")),
            ("line", None),
            ("cart", None),
        ][rng.usize(..5)];
        let rename = |from: &str, to: &str| match (column, self.kind) {
            (Some(_), _) => format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"),
            (None, Kind::Postgres) => format!("ALTER TABLE {from} RENAME TO {to}"),
            (None, Kind::Mysql) => format!("RENAME TABLE {from} TO {to}"),
        };
        let old = column.unwrap_or(table);
        [rename(old, &new), rename(&new, old), new]
    }
}
