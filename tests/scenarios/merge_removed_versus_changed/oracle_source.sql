-- Removed there and one more here is one; removed here and three more there is three; what both have
-- removed is gone.
SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id BETWEEN 11 AND 20 THEN 1 ELSE qty END, price FROM order_lines
UNION ALL
SELECT 'line', id * 10 + k, concat('sku-', k), concat(id), 3, id * 1.25 + k
FROM orders, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) AS three WHERE id BETWEEN 21 AND 30
