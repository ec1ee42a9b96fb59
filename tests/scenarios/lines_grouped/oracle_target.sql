SELECT 'cart', concat(id), NULL, email, 0, 0, NULL, 'lives' FROM cart
UNION ALL
SELECT 'line', id, concat(cart_id), product, CASE WHEN deleted_at IS NULL THEN quantity ELSE 0 END,
       CASE WHEN deleted_at IS NULL THEN parts ELSE 0 END, CASE WHEN deleted_at IS NULL THEN email END,
       CASE WHEN deleted_at IS NULL THEN 'lives' ELSE 'deleted' END
FROM cart_line
-- These were there between two statements, and perhaps never seen.
WHERE id NOT IN ('10-1-9', '10-2-9')
