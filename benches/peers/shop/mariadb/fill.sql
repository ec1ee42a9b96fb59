-- $CARTS carts of three lines each.
SET max_recursive_iterations = 100000000;
INSERT INTO cart (token, customer_id, currency, status)
    WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < $CARTS)
    SELECT uuid(), floor(rand() * 50000), 'EUR', 'open' FROM s;
INSERT INTO cart_item (cart_id, sku, qty, unit_price)
    SELECT c.id, concat('SKU-', lpad(mod(c.id * 7 + i.n * 1009, 5000), 6, '0')),
           1 + floor(rand() * 4), round(rand() * 100, 2)
    FROM cart c, (SELECT 0 n UNION SELECT 1 UNION SELECT 2) i;
-- As a shop has them that was not born a moment ago.
ANALYZE TABLE cart, cart_item;
