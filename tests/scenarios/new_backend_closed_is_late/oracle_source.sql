SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE order_id WHEN 10 THEN 4 ELSE qty END, price FROM order_lines
