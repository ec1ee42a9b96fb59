SELECT 'customer', email, name, 1 FROM customer
UNION ALL
SELECT 'cart', email, NULL, count(*) FROM cart GROUP BY email
