SELECT 'cart', id, code, total, 0 FROM cart
UNION ALL SELECT 'line', id, NULL, cart_id, quantity FROM cart_line
UNION ALL SELECT 'adjustment', id, NULL, line_id, amount FROM cart_adjustment
UNION ALL SELECT 'surcharge', id, NULL, cart_id, amount FROM cart_surcharge
