-- Brings the new shop to what the old shop says (copied into schema raw), written by hand, so that
-- the judge of the demo can be tested without the daemon that it is to judge.

CREATE TEMP TABLE wanted AS
SELECT 'cart_' || translate(left(md5('c' || orders.id), 26), '0189', 'wxyz') AS id,
       token, lower(trim(email)) AS email, 'customer-' || customer_id AS customer_ref,
       CASE WHEN customer_id IS NULL THEN 'guest' ELSE 'account' END AS channel,
       lower(currency) AS currency_code, note, created_at, updated_at,
       jsonb_build_object('number', number, 'order', orders.id) AS metadata, orders.id AS order_id,
       (10 ^ CASE currency WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 ELSE 2 END)::numeric AS factor
FROM raw.orders WHERE state = 'cart';

CREATE TEMP TABLE wanted_lines AS
SELECT 'line_' || translate(left(md5('l' || line.id), 26), '0189', 'wxyz') AS id,
       wanted.id AS cart_id, sku, title AS name, quantity,
       round(unit_price * factor)::bigint AS unit_minor,
       round(unit_price * quantity * factor)::bigint AS line_minor,
       (SELECT jsonb_object_agg(o.name, o.value) FROM raw.line_options AS o WHERE o.line_id = line.id)
           AS options,
       line.id AS source_id, added_at
FROM raw.line_items AS line JOIN wanted ON wanted.order_id = line.order_id;

INSERT INTO cart (id, token, email, customer_ref, channel, currency_code, note, created_at,
                  updated_at, metadata, item_count, item_total)
SELECT id, token, email, customer_ref, channel, currency_code, note, created_at, updated_at, metadata,
       coalesce((SELECT sum(quantity) FROM wanted_lines WHERE cart_id = wanted.id), 0),
       coalesce((SELECT sum(line_minor) FROM wanted_lines WHERE cart_id = wanted.id), 0)
FROM wanted;

INSERT INTO cart_line (id, cart_id, sku, name, quantity, unit_minor, line_minor, options, source_id,
                       added_at)
SELECT * FROM wanted_lines;

INSERT INTO cartage.pipeline (name) VALUES ('demo');
INSERT INTO cartage.ledger (pipeline, cart, state, lsn, mapping, patches, image)
SELECT pipeline.id, order_id::text, 'mirror', '0/0', 1, 1, '' FROM wanted, cartage.pipeline;
INSERT INTO cartage.refresh_run (pipeline, kind, start_lsn, finished_at)
SELECT id, 'backfill', '0/0', now() FROM cartage.pipeline;
