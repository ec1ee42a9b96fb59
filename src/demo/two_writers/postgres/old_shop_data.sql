-- $CARTS hot carts, and what they begin with counted as meant.

INSERT INTO baskets (id, email, remark, note) SELECT n, '0', '0', 'none' FROM generate_series(1, $CARTS) n;
INSERT INTO basket_lines (basket_id, sku, quantity)
SELECT id, concat('sku-', k), CASE WHEN k < 4 THEN 40 ELSE 2 END FROM baskets, generate_series(0, 11) k
WHERE k < 4 OR k % 2 = 0;
INSERT INTO intended (cart_id, what, amount) SELECT basket_id, sku, quantity FROM basket_lines;
ANALYZE;
