-- $CARTS hot carts, and what they begin with counted as meant.

INSERT INTO baskets (id, email, remark, note)
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < $CARTS)
SELECT n, '0', '0', 'none' FROM numbers;
INSERT INTO basket_lines (basket_id, sku, quantity)
WITH RECURSIVE kinds AS (SELECT 0 AS k UNION ALL SELECT k + 1 FROM kinds WHERE k < 11)
SELECT id, concat('sku-', k), CASE WHEN k < 4 THEN 40 ELSE 2 END FROM baskets, kinds
WHERE k < 4 OR k % 2 = 0;
INSERT INTO intended (cart_id, what, amount) SELECT basket_id, sku, quantity FROM basket_lines;
ANALYZE TABLE baskets, basket_lines, intended;
