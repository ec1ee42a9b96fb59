WITH line(k) AS (VALUES (1), (2), (3), (4)), wanted AS (
    SELECT orders.id AS cart, orders.id * 10 + k AS line,
           -- A bought order ends as it last was.
           CASE WHEN orders.status = 'open'
                THEN NOT EXISTS (SELECT FROM order_lines WHERE order_lines.id = orders.id * 10 + k)
                ELSE k = 1 END AS removed
    FROM orders, line)
SELECT 'cart', id, status = 'open' FROM orders
UNION ALL SELECT 'line', line, removed FROM wanted
