SELECT 'line', id, sku, concat(order_id), NULL, 'lives', qty FROM order_lines
UNION ALL
SELECT 'line', id, 'sku-' || (id % 10), concat(floor(id / 10)), NULL, 'deleted', id % 10
FROM (SELECT 21 AS id UNION ALL SELECT 31 UNION ALL SELECT 501 UNION ALL SELECT 502 UNION ALL SELECT 503
      UNION ALL SELECT 512 UNION ALL SELECT 513 UNION ALL SELECT 701 UNION ALL SELECT 702 UNION ALL SELECT 703) gone
UNION ALL
SELECT 'cart', id, email, CASE status WHEN 'open' THEN 'active' ELSE 'completed' END,
       CASE status WHEN 'open' THEN 'open' ELSE 'completed' END, 'lives', NULL FROM orders
UNION ALL
SELECT 'cart', 50, 'c50@example.org', 'deleted', 'open', 'deleted', NULL
