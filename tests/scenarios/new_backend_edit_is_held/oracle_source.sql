-- A held cart stays as the new shop left it; all others go on.
SELECT 'cart', id, CASE WHEN id IN (10, 20) THEN 'edited in the new shop' ELSE email END, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id IN (10, 20) THEN 4 ELSE qty END, price FROM order_lines
