-- What either side changed counts: three more of each in carts 11 to 19, none left and one more in
-- cart 30, and tea that both put in is one line. Where both wrote an email, the source was the later.
SELECT 'cart', id, CASE WHEN id = 20 THEN 'edited in the new shop' ELSE email END, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id BETWEEN 11 AND 19 THEN qty + 3 WHEN order_id = 30 THEN 1 ELSE qty END, price
FROM order_lines WHERE sku <> 'tea' OR order_id > 60
UNION ALL
SELECT 'line', 191, 'sku-1', '19', 3, 24.75
UNION ALL
SELECT 'line', 900000 + id, 'tea', concat(id), CASE WHEN id >= 50 THEN 3 ELSE 2 END, 1.50 FROM orders WHERE id BETWEEN 40 AND 60
