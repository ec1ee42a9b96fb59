SELECT 'line', line_id, product, concat(cart_id), NULL, CASE WHEN deleted_at IS NULL THEN 'lives' ELSE 'deleted' END, quantity FROM cart_line
UNION ALL
SELECT 'cart', cart_id, customer_email, state, CASE WHEN completed_at IS NULL THEN 'open' ELSE 'completed' END,
       CASE WHEN deleted_at IS NULL THEN 'lives' ELSE 'deleted' END, NULL FROM cart
