SELECT 'cart', id, email, payload, length(payload) FROM cart
UNION ALL
SELECT 'line', id, cart_id || sku, configuration, length(configuration) FROM line
