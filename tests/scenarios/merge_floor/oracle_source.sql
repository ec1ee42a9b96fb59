-- Less than nothing is nothing, and the line goes. What comes later counts from there.
SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id BETWEEN 21 AND 30 THEN 4 WHEN order_id BETWEEN 31 AND 40 THEN 1 ELSE qty END, price FROM order_lines
WHERE order_id NOT BETWEEN 11 AND 20
