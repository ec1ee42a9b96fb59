SELECT 'cart', id, email, CASE status WHEN 'open' THEN 'active' ELSE 'completed' END, status <> 'open', false, NULL::integer FROM orders
UNION ALL
SELECT 'cart', 50, 'c50@example.org', 'deleted', false, true, NULL::integer
UNION ALL
SELECT 'line', id, sku, order_id::text, false, false, qty FROM order_lines
UNION ALL
SELECT 'line', id, 'sku-' || id % 10, (id / 10)::text, false, true, id % 10
FROM unnest(ARRAY[21, 31, 501, 502, 503, 512, 513, 701, 702, 703]) id
