SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, CASE id WHEN 101 THEN '10' ELSE order_id::text END, qty, price FROM order_lines
