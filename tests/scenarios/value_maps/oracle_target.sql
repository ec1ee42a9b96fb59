SELECT 'cart', id, region_id, state, CASE WHEN gift THEN 'yes' WHEN NOT gift THEN 'no' END, color
FROM cart WHERE id NOT IN (5, 8)
UNION ALL
SELECT 'line', id, kind, qty, concat(cart_id), NULL FROM line WHERE cart_id NOT IN (5, 8)
