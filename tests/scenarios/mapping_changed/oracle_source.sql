SELECT 'cart', orders.id, email, lower(currency), comment, sum(qty)
FROM orders LEFT JOIN order_lines ON order_id = orders.id
WHERE state IN ('cart', 'address') GROUP BY orders.id
UNION ALL
SELECT 'line', l.id, sku, concat(order_id), concat(price), qty * 2
FROM order_lines l JOIN orders ON orders.id = order_id WHERE state IN ('cart', 'address')
UNION ALL
SELECT 'contacts left', 0, NULL, NULL, NULL, 0
