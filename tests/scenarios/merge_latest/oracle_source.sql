-- Cart by cart the later one has it: the old shop in carts 11 to 20, the new one in carts 21 to 30.
SELECT 'cart', id, CASE WHEN id BETWEEN 21 AND 40 THEN 'said in the new shop' ELSE email END, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', id, sku, concat(order_id), CASE WHEN order_id BETWEEN 21 AND 30 THEN qty + 1 WHEN order_id BETWEEN 31 AND 40 THEN qty + 3 ELSE qty END, price FROM order_lines
