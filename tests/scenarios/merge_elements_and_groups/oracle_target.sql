SELECT 'line', id, product, quantity FROM cart_line
UNION ALL
SELECT 'extra', id, sku, quantity FROM cart_extra
