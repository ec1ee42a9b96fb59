//! Writing a lane's records in MySQL's SQL. `VALUES()` in an update is what both kinds of server know.

use std::collections::HashMap;

use mysql_async::Value;

use super::arrays::Arrays;
use super::ledger::list;
use super::place::portions;
use crate::cart::key::CartKey;
use crate::mysql::sql;
use crate::switch::{self, Mutant};
use crate::target::ledger::{
    ConflictRow, HeldRow, LedgerRow, Patched, Records, RepairRow, State, Unanswered,
};

/// The statements that write the records of a lane, in order, none longer than `packet` as long as no
/// single row is. Of the ledger they write these rows.
pub fn statements(
    records: &Records,
    ledger: &[LedgerRow],
    pipeline: i32,
    lane: i32,
    packet: usize,
) -> Vec<String> {
    let mut out = Vec::new();
    let moved = records.moved();
    if moved != [0; 5] {
        let counts: Vec<String> = State::ALL
            .iter()
            .zip(moved)
            .map(|(state, n)| format!("{0} = {0} + {n}", state.name()))
            .collect();
        out.push(format!(
            "UPDATE cartage_checkpoint SET {} WHERE pipeline = {pipeline} AND lane = {lane}",
            counts.join(", ")
        ));
    }
    self::ledger(ledger, pipeline, packet, &mut out);
    shares(&records.ledger, pipeline, packet, &mut out);
    for row in &records.kept {
        out.push(format!(
            "UPDATE cartage_ledger SET state = '{}', lsn = {}, seq = {} \
             WHERE pipeline = {pipeline} AND cart = {}",
            row.state.name(),
            row.position.lsn.0,
            row.position.seq,
            cart(&row.cart)
        ));
    }
    for (table, carts) in [("wish", &records.granted), ("held", &records.released)] {
        if !carts.is_empty() {
            let these = list(carts.iter());
            out.push(format!(
                "DELETE FROM cartage_{table} WHERE pipeline = {pipeline} AND cart IN {these}"
            ));
        }
        if table == "wish" && !records.wishes.is_empty() {
            let rows: Vec<String> = records
                .wishes
                .iter()
                .map(|(key, reason)| format!("({pipeline}, {}, {})", cart(key), sql::text(reason)))
                .collect();
            out.push(format!(
                "INSERT INTO cartage_wish (pipeline, cart, reason) VALUES {} \
                 ON DUPLICATE KEY UPDATE reason = cartage_wish.reason",
                rows.join(", ")
            ));
        }
    }
    out.extend(records.held.iter().map(|row| held(row, pipeline)));
    let conflicts = records.conflicts.iter();
    out.extend(conflicts.flat_map(|row| conflict(row, pipeline)));
    out.extend(records.repairs.iter().map(repair));
    out
}

const COLUMNS: &str = "INSERT INTO cartage_ledger \
     (pipeline, cart, state, lsn, seq, mapping, patches, refreshed, image, tokens, kept, asked_at)";

/// What becomes of a row that is there; `before` and `asked_at` are expressions.
fn update(before: &str, asked_at: &str) -> String {
    format!(
        "ON DUPLICATE KEY UPDATE state = VALUES(state), lsn = VALUES(lsn), seq = VALUES(seq), \
             mapping = VALUES(mapping), patches = VALUES(patches) + {before}, \
             refreshed = COALESCE(VALUES(refreshed), cartage_ledger.refreshed), \
             image = VALUES(image), tokens = VALUES(tokens), kept = VALUES(kept), \
             asked_at = {asked_at}"
    )
}

const BEFORE: &str = "cartage_ledger.patches";
const ASKED_NOW: &str = "VALUES(asked_at)";
const STILL_ASKED: &str = "COALESCE(cartage_ledger.asked_at, VALUES(asked_at))";

/// Rows of the ledger as arrays of values. Those that a row replaces otherwise go with a statement of
/// their own.
pub(super) fn arrays(rows: &[LedgerRow], pipeline: i32) -> Vec<Arrays> {
    let mut like: HashMap<(bool, Unanswered), Vec<Vec<Value>>> = HashMap::new();
    for row in rows {
        let bytes = |bytes: &Option<Vec<u8>>| bytes.clone().map_or(Value::NULL, Value::Bytes);
        let lsn = Value::UInt(row.position.lsn.0);
        let values = vec![
            row.cart.as_str().into(),
            row.state.name().into(),
            lsn.clone(),
            Value::UInt(row.position.seq.into()),
            Value::Int(row.mapping.into()),
            Value::UInt((row.patched != Patched::No).into()),
            if row.refreshed { lsn } else { Value::NULL },
            Value::Bytes(row.image.clone()),
            bytes(&row.tokens),
            bytes(&row.kept),
        ];
        let alike = (row.patched == Patched::First, row.unanswered);
        like.entry(alike).or_default().push(values);
    }
    let arrays = like.into_iter().map(|((first, unanswered), rows)| {
        let before = if first { "0" } else { BEFORE };
        let (asked, asked_at) = match unanswered {
            Unanswered::None => ("NULL", ASKED_NOW),
            Unanswered::Asked => ("CURRENT_TIMESTAMP(6)", ASKED_NOW),
            Unanswered::Still => ("CURRENT_TIMESTAMP(6)", STILL_ASKED),
        };
        let sql = format!(
            "{COLUMNS} VALUES ({pipeline}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {asked}) {}",
            update(before, asked_at)
        );
        Arrays { sql, rows }
    });
    arrays.collect()
}

fn ledger(rows: &[LedgerRow], pipeline: i32, packet: usize, out: &mut Vec<String>) {
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let mut values = vec![ledger_row(first, pipeline)];
        let mut length = values[0].len();
        let mut taken = 1;
        for row in &rest[1..] {
            let row = ledger_row(row, pipeline);
            length += row.len();
            if length > packet {
                break;
            }
            values.push(row);
            taken += 1;
        }
        let (these, others) = rest.split_at(taken);
        rest = others;
        let first = these.iter().filter(|r| r.patched == Patched::First);
        let first: Vec<&CartKey> = first.map(|r| &r.cart).collect();
        let before = match first.is_empty() {
            true => BEFORE.to_owned(),
            false => {
                let first = list(first.into_iter());
                format!("IF(cartage_ledger.cart IN {first}, 0, {BEFORE})")
            }
        };
        let still = these.iter().filter(|r| r.unanswered == Unanswered::Still);
        let still: Vec<&CartKey> = still.map(|r| &r.cart).collect();
        let asked_at = match still.is_empty() {
            true => ASKED_NOW.to_owned(),
            false => {
                let still = list(still.into_iter());
                format!("IF(cartage_ledger.cart IN {still}, {STILL_ASKED}, {ASKED_NOW})")
            }
        };
        let (values, update) = (values.join(", "), update(&before, &asked_at));
        out.push(format!("{COLUMNS} VALUES {values} {update}"));
    }
}

/// Which numbers each cart's target rows have that could be another's too.
fn shares(rows: &[LedgerRow], pipeline: i32, packet: usize, out: &mut Vec<String>) {
    const ROWS: usize = 1000;
    let carts = rows.iter().map(|r| cart(&r.cart)).collect();
    for carts in portions(carts, ROWS, packet) {
        out.push(format!(
            "DELETE FROM cartage_share WHERE pipeline = {pipeline} AND cart IN ({})",
            carts.join(", ")
        ));
    }
    let mut shares: Vec<String> = rows
        .iter()
        .flat_map(|r| r.shareable.iter().map(|n| (n, &r.cart)))
        .map(|(number, key)| format!("({pipeline}, {number}, {})", cart(key)))
        .collect();
    shares.sort();
    shares.dedup();
    for shares in portions(shares, ROWS, packet) {
        out.push(format!(
            "INSERT INTO cartage_share (pipeline, number, cart) VALUES {}",
            shares.join(", ")
        ));
    }
}

fn ledger_row(row: &LedgerRow, pipeline: i32) -> String {
    let lsn = row.position.lsn.0;
    format!(
        "({pipeline}, {}, '{}', {lsn}, {}, {}, {}, {}, {}, {}, {}, {})",
        cart(&row.cart),
        row.state.name(),
        row.position.seq,
        row.mapping,
        u8::from(row.patched != Patched::No),
        match row.refreshed {
            true => lsn.to_string(),
            false => "NULL".to_owned(),
        },
        sql::binary(&row.image),
        row.tokens.as_deref().map_or("NULL".to_owned(), sql::binary),
        row.kept.as_deref().map_or("NULL".to_owned(), sql::binary),
        match row.unanswered {
            Unanswered::None => "NULL",
            Unanswered::Still | Unanswered::Asked => "CURRENT_TIMESTAMP(6)",
        },
    )
}

/// A hold is tried again after 1, 2, 4 … seconds, at most ten minutes.
fn held(row: &HeldRow, pipeline: i32) -> String {
    let evidence = row.evidence.clone().unwrap_or_default();
    let tried = row.tried;
    format!(
        "INSERT INTO cartage_held \
             (pipeline, cart, unit, reason, message, pending, base, ours, theirs, retry_at) \
         VALUES ({pipeline}, {}, {}, {}, {}, {}, {}, {}, {}, \
                 CURRENT_TIMESTAMP(6) + INTERVAL 1 SECOND) \
         ON DUPLICATE KEY UPDATE pending = VALUES(pending), unit = COALESCE(VALUES(unit), unit), \
             reason = IF({tried}, VALUES(reason), reason), \
             message = IF({tried}, VALUES(message), message), \
             base = COALESCE(VALUES(base), base), ours = COALESCE(VALUES(ours), ours), \
             theirs = COALESCE(VALUES(theirs), theirs), \
             retry_at = IF({tried}, CURRENT_TIMESTAMP(6) \
                 + INTERVAL LEAST(600, POW(2, LEAST(attempts, 12))) SECOND, retry_at), \
             take = IF({}, NULL, take), attempts = attempts + {tried}",
        cart(&row.cart),
        nullable(row.unit.as_deref()),
        sql::text(row.reason),
        sql::text(&row.message),
        sql::binary(&row.pending),
        nullable(evidence.base.as_deref()),
        nullable(evidence.ours.as_deref()),
        nullable(evidence.theirs.as_deref()),
        row.taken,
    )
}

/// What is found again as it was found last is no news: neither the attempts at a held cart nor the
/// changes to one that the new backend has finished with add up.
fn conflict(row: &ConflictRow, pipeline: i32) -> [String; 2] {
    let key = cart(&row.cart);
    let [base, ours, theirs] = [&row.evidence.base, &row.evidence.ours, &row.evidence.theirs]
        .map(|side| nullable(side.as_deref()));
    let kind = sql::text(row.kind);
    let (mapping, inputs) = match &row.inputs {
        Some((mapping, inputs)) => (mapping.to_string(), sql::binary(inputs)),
        None => ("NULL".to_owned(), "NULL".to_owned()),
    };
    let again = switch::mutant(Mutant::RecordAgain);
    let last = format!(
        "(SELECT id, kind, base, ours, theirs FROM cartage_conflict \
          WHERE pipeline = {pipeline} AND cart = {key} ORDER BY id DESC LIMIT 1) AS l"
    );
    let same = format!(
        "l.kind = {kind} AND l.base <=> {base} AND l.ours <=> {ours} AND l.theirs <=> {theirs}"
    );
    [
        format!(
            "UPDATE cartage_conflict AS c JOIN {last} ON c.id = l.id SET c.times = c.times + 1, \
             c.seen_at = CURRENT_TIMESTAMP(6) \
             WHERE NOT {again} AND {same}"
        ),
        format!(
            "INSERT INTO cartage_conflict \
                 (pipeline, cart, kind, lsn, base, ours, theirs, decisions, mapping, items, inputs) \
             SELECT {pipeline}, {key}, {kind}, {}, {base}, {ours}, {theirs}, {}, {mapping}, {}, \
                    {inputs} FROM DUAL \
             WHERE {again} OR NOT EXISTS (SELECT 1 FROM {last} WHERE {same})",
            row.position.lsn.0,
            nullable(row.decisions.as_deref()),
            row.items,
        ),
    ]
}

fn repair(row: &RepairRow) -> String {
    format!(
        "UPDATE cartage_repair_cart SET state = {}, rows_before = {}, rows_after = {}, note = {}, \
         done_at = CURRENT_TIMESTAMP(6) WHERE run = {} AND cart = {} AND state = 'asked'",
        sql::text(row.state),
        nullable(row.before.as_deref()),
        nullable(row.after.as_deref()),
        sql::text(&row.note),
        row.run,
        cart(&row.cart),
    )
}

fn cart(key: &CartKey) -> String {
    sql::text(key.as_str())
}

fn nullable(text: Option<&str>) -> String {
    text.map_or("NULL".to_owned(), sql::text)
}
