SELECT 'cart', cart_id, 0, email, line_count FROM cart
UNION ALL
SELECT 'line', cart_id, line_id, sku, 0 FROM cart_line
