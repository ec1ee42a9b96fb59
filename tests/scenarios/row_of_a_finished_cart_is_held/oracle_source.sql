SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, CASE id WHEN 101 THEN '10' ELSE concat(order_id) END, qty, price FROM order_lines
