SELECT 'customer', email, min(lower(name)), 1 FROM orders WHERE id <> 502 GROUP BY email
UNION ALL
SELECT 'cart', email, NULL, 1 FROM orders GROUP BY email
