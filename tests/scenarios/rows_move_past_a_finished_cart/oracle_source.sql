SELECT 'cart', id, email, lower(currency), NULL, NULL, NULL FROM orders WHERE id <> 30
UNION ALL
SELECT 'line', id, sku, order_id::text, qty, price, NULL FROM order_lines WHERE order_id NOT IN (10, 20, 30)
UNION ALL
SELECT 'line', id, sku, (id / 10)::text, qty, price, NULL FROM order_lines WHERE id / 10 IN (10, 20)
