-- The greater of both: three more than two there, then six more than three here.
SELECT 'cart', id, CASE WHEN id BETWEEN 31 AND 40 THEN 'said in the new shop' ELSE email END, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id BETWEEN 11 AND 20 THEN qty + 1 WHEN order_id BETWEEN 21 AND 30 THEN qty WHEN order_id BETWEEN 31 AND 40 THEN qty + 3 ELSE qty END, price FROM order_lines
