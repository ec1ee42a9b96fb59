SELECT 'checkout', token, email, NULL, 0 FROM orders
UNION ALL
SELECT 'metadata', token, note, concat(id), 0 FROM orders WHERE note IS NOT NULL
UNION ALL
SELECT 'note', token, note, 'note', 0 FROM orders WHERE note IS NOT NULL
UNION ALL
SELECT 'line', token, sku, concat(l.id), qty FROM order_lines l JOIN orders o ON o.id = order_id
