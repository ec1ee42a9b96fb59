-- Tea of both shops is one line, that of the new one; what comes later counts there too. Two lines that
-- the source alone has stay two.
SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), qty, price FROM order_lines
WHERE sku <> 'tea' OR order_id > 30
UNION ALL
SELECT 'line', 900000 + id, 'tea', concat(id), CASE WHEN id <= 15 THEN 6 WHEN id <= 20 THEN 5 ELSE 2 END, 1.50
FROM orders WHERE id BETWEEN 11 AND 30
