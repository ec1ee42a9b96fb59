SELECT 'cart', cart_id, open FROM cart
UNION ALL SELECT 'line', line_id, removed FROM cart_line
