//! Writing a lane's records in Postgres' SQL.

use tokio_postgres::types::ToSql;

use crate::cart::key::CartKey;
use crate::switch::{self, Mutant};
use crate::target::ledger::{Patched, Records, Unanswered};

/// A statement and its parameters.
type Prepared = (&'static str, Vec<Box<dyn ToSql + Sync + Send>>);

/// The statements that write the records of a lane, in order.
pub fn statements(records: &Records, pipeline: i32, lane: i32) -> Vec<Prepared> {
    let mut out: Vec<Prepared> = Vec::new();
    let moved = records.moved();
    if moved != [0; 5] {
        let mut params: Vec<Box<dyn ToSql + Sync + Send>> =
            vec![Box::new(pipeline), Box::new(lane)];
        params.extend(moved.map(|n| Box::new(n) as Box<dyn ToSql + Sync + Send>));
        out.push((COUNT_CARTS, params));
    }
    let texts = |carts: &[CartKey]| -> Vec<String> {
        carts.iter().map(|c| c.as_str().to_owned()).collect()
    };
    if !records.ledger.is_empty() {
        out.push((PUT_LEDGER, ledger_params(records, pipeline)));
    }
    if !records.kept.is_empty() {
        let carts: Vec<String> = records
            .kept
            .iter()
            .map(|r| r.cart.as_str().to_owned())
            .collect();
        let states: Vec<&'static str> = records.kept.iter().map(|r| r.state.name()).collect();
        let lsns: Vec<String> = records
            .kept
            .iter()
            .map(|r| r.position.lsn.to_string())
            .collect();
        let seqs: Vec<i64> = records
            .kept
            .iter()
            .map(|r| i64::from(r.position.seq))
            .collect();
        out.push((
            "UPDATE cartage.ledger AS l SET state = d.state, lsn = d.lsn::pg_lsn, seq = d.seq \
             FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) \
                  AS d(cart, state, lsn, seq) \
             WHERE l.pipeline = $1 AND l.cart = d.cart",
            vec![
                Box::new(pipeline),
                Box::new(carts),
                Box::new(states),
                Box::new(lsns),
                Box::new(seqs),
            ],
        ));
    }
    if !records.granted.is_empty() {
        out.push((
            "DELETE FROM cartage.wish WHERE pipeline = $1 AND cart = ANY($2::text[])",
            vec![Box::new(pipeline), Box::new(texts(&records.granted))],
        ));
    }
    if !records.wishes.is_empty() {
        let carts: Vec<String> = records
            .wishes
            .iter()
            .map(|w| w.0.as_str().to_owned())
            .collect();
        let reasons: Vec<&'static str> = records.wishes.iter().map(|w| w.1).collect();
        out.push((
            "INSERT INTO cartage.wish (pipeline, cart, reason) \
             SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING",
            vec![Box::new(pipeline), Box::new(carts), Box::new(reasons)],
        ));
    }
    if !records.released.is_empty() {
        out.push((
            "DELETE FROM cartage.held WHERE pipeline = $1 AND cart = ANY($2::text[])",
            vec![Box::new(pipeline), Box::new(texts(&records.released))],
        ));
    }
    for held in &records.held {
        let evidence = held.evidence.clone().unwrap_or_default();
        out.push((
            PUT_HELD,
            vec![
                Box::new(pipeline),
                Box::new(held.cart.as_str().to_owned()),
                Box::new(held.unit.clone()),
                Box::new(held.reason),
                Box::new(held.message.clone()),
                Box::new(held.pending.clone()),
                Box::new(evidence.base),
                Box::new(evidence.ours),
                Box::new(evidence.theirs),
                Box::new(held.tried),
                Box::new(held.taken),
            ],
        ));
    }
    for conflict in &records.conflicts {
        out.push((
            PUT_CONFLICT,
            vec![
                Box::new(pipeline),
                Box::new(conflict.cart.as_str().to_owned()),
                Box::new(conflict.kind),
                Box::new(conflict.position.lsn.to_string()),
                Box::new(conflict.evidence.base.clone()),
                Box::new(conflict.evidence.ours.clone()),
                Box::new(conflict.evidence.theirs.clone()),
                Box::new(switch::mutant(Mutant::RecordAgain)),
                Box::new(conflict.decisions.clone()),
                Box::new(conflict.inputs.as_ref().map(|(mapping, _)| *mapping)),
                Box::new(i64::try_from(conflict.items).unwrap_or(i64::MAX)),
                Box::new(conflict.inputs.as_ref().map(|(_, inputs)| inputs.clone())),
            ],
        ));
    }
    for repair in &records.repairs {
        out.push((
            PUT_REPAIR,
            vec![
                Box::new(repair.run),
                Box::new(repair.cart.as_str().to_owned()),
                Box::new(repair.state),
                Box::new(repair.before.clone()),
                Box::new(repair.after.clone()),
                Box::new(repair.note.clone()),
            ],
        ));
    }
    out
}

fn ledger_params(records: &Records, pipeline: i32) -> Vec<Box<dyn ToSql + Sync + Send>> {
    let rows = &records.ledger;
    let carts: Vec<String> = rows.iter().map(|r| r.cart.as_str().to_owned()).collect();
    let states: Vec<&'static str> = rows.iter().map(|r| r.state.name()).collect();
    let lsns: Vec<String> = rows.iter().map(|r| r.position.lsn.to_string()).collect();
    let seqs: Vec<i64> = rows.iter().map(|r| i64::from(r.position.seq)).collect();
    let mappings: Vec<i32> = rows.iter().map(|r| r.mapping).collect();
    let patches: Vec<i64> = rows
        .iter()
        .map(|r| i64::from(r.patched != Patched::No))
        .collect();
    let first: Vec<String> = rows
        .iter()
        .filter(|r| r.patched == Patched::First)
        .map(|r| r.cart.as_str().to_owned())
        .collect();
    let refreshed: Vec<Option<String>> = rows
        .iter()
        .map(|r| r.refreshed.then(|| r.position.lsn.to_string()))
        .collect();
    let images: Vec<Vec<u8>> = rows.iter().map(|r| r.image.clone()).collect();
    let tokens: Vec<Option<Vec<u8>>> = rows.iter().map(|r| r.tokens.clone()).collect();
    let kept: Vec<Option<Vec<u8>>> = rows.iter().map(|r| r.kept.clone()).collect();
    let unanswered: Vec<bool> = rows
        .iter()
        .map(|r| r.unanswered != Unanswered::None)
        .collect();
    let still: Vec<String> = rows
        .iter()
        .filter(|r| r.unanswered == Unanswered::Still)
        .map(|r| r.cart.as_str().to_owned())
        .collect();
    // As texts, for arrays of different lengths make no array of two dimensions.
    let shareable: Vec<Option<String>> = rows
        .iter()
        .map(|r| {
            let numbers: Vec<String> = r.shareable.iter().map(i64::to_string).collect();
            (!numbers.is_empty()).then(|| format!("{{{}}}", numbers.join(",")))
        })
        .collect();
    vec![
        Box::new(pipeline),
        Box::new(carts),
        Box::new(states),
        Box::new(lsns),
        Box::new(seqs),
        Box::new(mappings),
        Box::new(patches),
        Box::new(refreshed),
        Box::new(images),
        Box::new(tokens),
        Box::new(first),
        Box::new(shareable),
        Box::new(kept),
        Box::new(unanswered),
        Box::new(still),
    ]
}

/// So that nobody has to count the ledger to say how many carts there are.
const COUNT_CARTS: &str = "UPDATE cartage.checkpoint SET mirror = mirror + $3, \
        merged = merged + $4, handed_over = handed_over + $5, held = held + $6, ended = ended + $7 \
    WHERE pipeline = $1 AND lane = $2";

const PUT_LEDGER: &str = "INSERT INTO cartage.ledger AS l \
        (pipeline, cart, state, lsn, seq, mapping, patches, refreshed, image, tokens, shareable, kept, \
         asked_at) \
    SELECT $1, cart, state, lsn::pg_lsn, seq, mapping, patches, refreshed::pg_lsn, image, tokens, \
        shareable::bigint[], kept, CASE WHEN unanswered THEN now() END \
    FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::bigint[], \
                $8::text[], $9::bytea[], $10::bytea[], $12::text[], $13::bytea[], $14::boolean[]) \
         AS d(cart, state, lsn, seq, mapping, patches, refreshed, image, tokens, shareable, kept, \
              unanswered) \
    ON CONFLICT (pipeline, cart) DO UPDATE SET state = excluded.state, lsn = excluded.lsn, \
        seq = excluded.seq, mapping = excluded.mapping, \
        patches = excluded.patches + CASE WHEN l.cart = ANY ($11::text[]) THEN 0 ELSE l.patches END, \
        refreshed = coalesce(excluded.refreshed, l.refreshed), image = excluded.image, \
        tokens = excluded.tokens, shareable = excluded.shareable, kept = excluded.kept, \
        asked_at = CASE WHEN l.cart = ANY ($15::text[]) THEN coalesce(l.asked_at, excluded.asked_at) \
            ELSE excluded.asked_at END";

/// What is found again as it was found last is no news: neither the attempts at a held cart nor the
/// changes to one that the new backend has finished with add up.
const PUT_CONFLICT: &str = "WITH n AS ( \
        SELECT $1::integer, $2::text, $3::text AS kind, $4::text::pg_lsn, \
               $5::text::jsonb AS base, $6::text::jsonb AS ours, $7::text::jsonb AS theirs, \
               $9::text::jsonb, $10::integer, $11::bigint, $12::bytea), \
    l AS (SELECT id, kind, base, ours, theirs FROM cartage.conflict \
        WHERE pipeline = $1 AND cart = $2 AND NOT $8::boolean ORDER BY id DESC LIMIT 1), \
    again AS (UPDATE cartage.conflict AS c SET times = c.times + 1, seen_at = now() FROM l, n \
        WHERE c.id = l.id AND l.kind = n.kind AND l.base IS NOT DISTINCT FROM n.base \
          AND l.ours IS NOT DISTINCT FROM n.ours AND l.theirs IS NOT DISTINCT FROM n.theirs \
        RETURNING 1) \
    INSERT INTO cartage.conflict \
        (pipeline, cart, kind, lsn, base, ours, theirs, decisions, mapping, items, inputs) \
    SELECT n.* FROM n WHERE NOT EXISTS (SELECT 1 FROM again)";

const PUT_REPAIR: &str = "UPDATE cartage.repair_cart SET state = $3, \
        rows_before = $4::text::jsonb, rows_after = $5::text::jsonb, note = $6, done_at = now() \
    WHERE run = $1 AND cart = $2 AND state = 'asked'";

/// A hold is tried again after 1, 2, 4 … seconds, at most ten minutes.
const PUT_HELD: &str = "INSERT INTO cartage.held AS h \
        (pipeline, cart, unit, reason, message, pending, base, ours, theirs, retry_at) \
    VALUES ($1, $2::text, $3::text, $4::text, $5::text, $6, $7::text::jsonb, $8::text::jsonb, \
            $9::text::jsonb, now() + interval '1 second') \
    ON CONFLICT (pipeline, cart) DO UPDATE SET pending = excluded.pending, \
        unit = coalesce(excluded.unit, h.unit), \
        reason = CASE WHEN $10::boolean THEN excluded.reason ELSE h.reason END, \
        message = CASE WHEN $10::boolean THEN excluded.message ELSE h.message END, base = coalesce(excluded.base, h.base), \
        ours = coalesce(excluded.ours, h.ours), theirs = coalesce(excluded.theirs, h.theirs), \
        attempts = h.attempts + $10::boolean::integer, \
        take = CASE WHEN $11::boolean THEN NULL ELSE h.take END, \
        retry_at = CASE WHEN $10::boolean \
            THEN now() + least(interval '10 minutes', interval '1 second' * 2 ^ least(h.attempts, 12)) \
            ELSE h.retry_at END";
