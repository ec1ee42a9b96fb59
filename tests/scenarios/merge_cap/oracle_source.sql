-- At most nine are merged. A side that has more already is not cut, and the source alone may say more.
SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id BETWEEN 11 AND 20 AND qty + 4 > 9 THEN 9 WHEN order_id BETWEEN 11 AND 20 THEN qty + 4 WHEN order_id BETWEEN 21 AND 30 THEN 20 ELSE qty END, price FROM order_lines
