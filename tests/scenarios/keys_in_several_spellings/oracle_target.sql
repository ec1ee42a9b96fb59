SELECT 'cart', substr(cart_id, length(split_part(cart_id, '-', 1) || split_part(cart_id, '-', 2)) + 3), split_part(cart_id, '-', 2)::bigint, email, lines FROM cart
UNION ALL
SELECT 'line', substr(cart_id, length(split_part(cart_id, '-', 1) || split_part(cart_id, '-', 2)) + 3), line_id, sku, 0 FROM cart_line
