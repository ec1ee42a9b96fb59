SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', l.id, l.sku, concat(l.order_id), l.qty, l.price FROM order_lines l JOIN orders o ON o.id = l.order_id
UNION ALL
SELECT 'INSERT', count(*), NULL, NULL, NULL, NULL FROM (SELECT id FROM orders UNION ALL SELECT id FROM order_lines) both_tables
UNION ALL
SELECT 'UPDATE', 1, NULL, NULL, NULL, NULL
