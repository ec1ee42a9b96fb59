SELECT 'cart', id, CASE status WHEN 'open' THEN 1 ELSE 0 END FROM orders
UNION ALL
SELECT 'line', id * 10 + k,
       -- A bought order ends as it last was.
       CASE WHEN status = 'open'
            THEN CASE WHEN EXISTS (SELECT 1 FROM order_lines WHERE order_lines.id = orders.id * 10 + k) THEN 0 ELSE 1 END
            ELSE CASE k WHEN 1 THEN 1 ELSE 0 END END
FROM orders, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) four
