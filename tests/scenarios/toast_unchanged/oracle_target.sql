SELECT 'cart', id, email, md5(payload), length(payload) FROM cart
UNION ALL
SELECT 'line', id, cart_id || sku, md5(configuration), length(configuration) FROM line
