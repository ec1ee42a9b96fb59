SELECT 'cart', id, email, lower(currency), NULL, NULL, NULL FROM orders WHERE id <> 30
UNION ALL
SELECT 'line', id, sku, concat(order_id), qty, price, NULL FROM order_lines WHERE order_id NOT IN (10, 20, 30)
UNION ALL
SELECT 'line', id, sku, concat(floor(id / 10)), qty, price, NULL FROM order_lines WHERE floor(id / 10) IN (10, 20)
