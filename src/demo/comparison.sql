-- Compares the shops cart by cart. It reads copies of both shops' own tables and of the ledger,
-- and says in plain SQL what the new shop should hold; nothing here comes from cartage's mapping.
-- One row for each cart that either side has: missing, extra, different, or equal.

CREATE FUNCTION minor(amount numeric, currency text) RETURNS bigint IMMUTABLE
RETURN round(amount * CASE currency WHEN 'JPY' THEN 1 WHEN 'KWD' THEN 1000 ELSE 100 END);

CREATE TABLE expected AS
SELECT orders.token,
       orders.id AS order_id,
       orders.state = 'cart' AS live,
       orders.completed_at,
       jsonb_build_array(
           orders.id, orders.number, lower(trim(orders.email)), 'customer-' || orders.customer_id,
           CASE WHEN orders.customer_id IS NULL THEN 'guest' ELSE 'account' END,
           lower(orders.currency), orders.note, orders.created_at,
           CASE WHEN orders.state = 'cart' THEN orders.updated_at END,
           coalesce(sum(lines.quantity), 0),
           coalesce(sum(minor(lines.unit_price * lines.quantity, orders.currency)), 0),
           'europe', NULL,
           coalesce(
               jsonb_agg(
                   jsonb_build_array(
                       lines.id, lines.sku, lines.title, lines.quantity, lines.added_at,
                       minor(lines.unit_price, orders.currency),
                       minor(lines.unit_price * lines.quantity, orders.currency),
                       options.chosen, false)
                   ORDER BY lines.id) FILTER (WHERE lines.id IS NOT NULL),
               '[]')
       ) AS content
FROM old.orders
LEFT JOIN old.line_items AS lines ON lines.order_id = orders.id
LEFT JOIN (SELECT line_id, jsonb_object_agg(name, value) AS chosen FROM old.line_options GROUP BY line_id)
    AS options ON options.line_id = lines.id
GROUP BY orders.id;

CREATE TABLE found AS
SELECT cart.token,
       cart.version,
       cart.completed_at,
       -- Identifiers cannot be computed again here, for they are keyed; but they have one shape.
       cart.id ~ '^cart_[a-z2-7]{26}$'
           AND coalesce(bool_and(lines.id ~ '^line_[a-z2-7]{26}$'), true) AS well_named,
       jsonb_build_array(
           cart.metadata -> 'order', cart.metadata ->> 'number', cart.email, cart.customer_ref,
           cart.channel,
           cart.currency_code, cart.note, cart.created_at,
           CASE WHEN cart.completed_at IS NULL THEN cart.updated_at END,
           cart.item_count,
           cart.item_total,
           cart.sales_region, cart.reminded_at,
           coalesce(
               jsonb_agg(
                   jsonb_build_array(
                       lines.source_id, lines.sku, lines.name, lines.quantity, lines.added_at,
                       lines.unit_minor, lines.line_minor, lines.options, lines.gift)
                   ORDER BY lines.source_id) FILTER (WHERE lines.id IS NOT NULL),
               '[]')
       ) AS content
FROM new.cart
LEFT JOIN new.cart_line AS lines ON lines.cart_id = cart.id
GROUP BY cart.id;

ANALYZE expected, found;

CREATE TABLE judgement AS
SELECT coalesce(expected.token, found.token) AS token,
       coalesce(expected.live, false) AS live,
       CASE
           WHEN expected.token IS NULL THEN 'extra'
           -- An order that was bought before the backfill came to it was never a cart to move.
           WHEN found.token IS NULL AND expected.live THEN 'missing'
           WHEN found.token IS NULL
               AND expected.completed_at > (SELECT max(finished_at) FROM backfill) THEN 'missing'
           WHEN found.token IS NULL THEN 'not moved'
           WHEN NOT found.well_named THEN 'different'
           WHEN expected.content <> found.content THEN 'different'
           WHEN expected.live <> (found.completed_at IS NULL) THEN 'different'
           -- The commit comes after the statement that set the old shop's own time.
           WHEN NOT expected.live AND found.completed_at NOT BETWEEN
               expected.completed_at AND expected.completed_at + interval '1 minute' THEN 'different'
           ELSE 'equal'
       END AS verdict,
       expected.live AND found.version IS DISTINCT FROM ledger.patches AS version_wrong
FROM expected
FULL JOIN found ON found.token = expected.token
LEFT JOIN ledger ON ledger.cart = expected.order_id::text;
