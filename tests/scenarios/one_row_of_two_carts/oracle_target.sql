SELECT 'customer', email, name, 1::bigint FROM customer
UNION ALL
SELECT 'cart', email, NULL, count(*) FROM cart GROUP BY email
