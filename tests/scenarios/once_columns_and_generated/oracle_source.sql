SELECT 'cart', id, email, CASE id WHEN 7 THEN 'changed by the new shop' WHEN 800 THEN 'first@example.org' ELSE 'c' || id || '@example.org' END,
       substring(email from position('@' in email) + 1), CASE id WHEN 8 THEN 'theirs' ELSE 'ours' END FROM orders
UNION ALL
SELECT 'line', id, sku, concat(qty * price), NULL, NULL FROM order_lines
