SELECT 'cart', cart_id, customer_email, state, completed_at IS NOT NULL, deleted_at IS NOT NULL, NULL::integer FROM cart
UNION ALL
SELECT 'line', line_id, product, cart_id::text, false, deleted_at IS NOT NULL, quantity FROM cart_line
