SELECT 'cart', cart_id, CASE WHEN open THEN 1 ELSE 0 END FROM cart
UNION ALL
SELECT 'line', line_id, CASE WHEN removed THEN 1 ELSE 0 END FROM cart_line
