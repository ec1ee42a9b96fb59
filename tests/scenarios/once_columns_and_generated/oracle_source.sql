SELECT 'cart', id, email, CASE id WHEN 7 THEN 'changed by the new shop' WHEN 800 THEN 'first@example.org' ELSE 'c' || id || '@example.org' END,
       split_part(email, '@', 2), CASE id WHEN 8 THEN 'theirs' ELSE 'ours' END FROM orders
UNION ALL
SELECT 'line', id, sku, (qty * price)::text, NULL, NULL FROM order_lines
