SELECT 'cart', concat(id), email, 0 FROM cart
UNION ALL
SELECT 'line', id, product, quantity FROM cart_line
UNION ALL
SELECT 'extra', id, name, pieces FROM cart_extra
