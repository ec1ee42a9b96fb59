-- Fills the old shop: $CARTS live carts, and as many orders again by four that were bought long ago.

INSERT INTO orders (id, number, token, state, email, customer_id, currency, note, user_agent,
                    created_at, updated_at, completed_at)
SELECT id,
       'R' || lpad(id::text, 9, '0'),
       md5('token ' || id),
       CASE WHEN bought THEN 'complete' ELSE 'cart' END,
       CASE WHEN id % 3 > 0 THEN format(' Customer%s@Example.com', id) END,
       CASE WHEN id % 3 > 0 THEN 100000 + id END,
       (ARRAY['EUR', 'USD', 'JPY', 'KWD'])[1 + id % 4],
       CASE WHEN id % 10 = 0 THEN 'Please wrap it, it''s a gift: ' || chr(9731) END,
       'Mozilla/5.0',
       now() - id * interval '1 minute',
       now() - id * interval '30 seconds',
       CASE WHEN bought THEN now() - interval '1 day' END
FROM (SELECT id, id > $CARTS AS bought FROM generate_series(1, $CARTS + $CARTS / 4) AS id) AS made;

INSERT INTO line_items (order_id, sku, title, quantity, unit_price)
SELECT orders.id,
       format('SKU-%s', (orders.id * 7 + n * 13) % 500),
       format('Article %s', (orders.id * 7 + n * 13) % 500),
       1 + (orders.id + n) % 5,
       ((orders.id * 31 + n * 977) % 200000)::numeric / 1000
FROM orders, generate_series(1, orders.id % 5) AS n;

INSERT INTO line_options (line_id, name, value)
SELECT line_items.id, name, format('%s %s', name, line_items.id % 7)
FROM line_items, unnest(ARRAY['size', 'colour']) AS name
WHERE line_items.id % 3 = 0 OR (line_items.id % 2 = 0 AND name = 'size');

SELECT setval('orders_id_seq', (SELECT max(id) FROM orders));

INSERT INTO orders (number, token, currency, note)
SELECT 'P' || n, 'probe-' || n, 'EUR', '0' FROM generate_series(0, $PROBES - 1) AS n;

ANALYZE;
