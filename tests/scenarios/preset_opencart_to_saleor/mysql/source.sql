-- platform opencart
INSERT INTO oc_customer (customer_id, store_id, email)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 25) SELECT n, 0, 'Customer' || n || '@example.org' FROM n;
-- Some products have a SKU, the others only a model.
INSERT INTO oc_product (product_id, model, sku, price)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 12) SELECT n, 'Model ' || n, CASE n % 3 WHEN 0 THEN '' ELSE 'SKU-' || n END, n FROM n;
-- The carts of 20 customers and 40 guests: one row or two.
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 60)
SELECT n * 10, n % 2, CASE WHEN n <= 20 THEN n ELSE 0 END, left(md5(n), 26), 1 + n % 12, '[]', 1 + n % 3, '2026-03-01' + INTERVAL n HOUR FROM n
UNION ALL
SELECT n * 10 + 1, n % 2, CASE WHEN n <= 20 THEN n ELSE 0 END, left(md5(n), 26), 1 + (n + 5) % 12, '{"226":"15"}', 2, '2026-03-01' + INTERVAL n HOUR FROM n WHERE n % 3 = 0;
