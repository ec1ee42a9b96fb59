SELECT 'cart', concat(id), email, NULL, 0, CASE WHEN deleted_at IS NULL THEN 'lives' ELSE 'deleted' END FROM cart WHERE id <> 40
UNION ALL
SELECT 'line', id, sku, concat(cart_id), quantity, CASE WHEN deleted_at IS NULL THEN 'lives' ELSE 'deleted' END FROM cart_line WHERE cart_id <> 40
UNION ALL
SELECT 'note', id, note, concat(cart_id), 0, 'lives' FROM cart_note WHERE cart_id <> 40
