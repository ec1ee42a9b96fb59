SELECT 'cart', id, email, shipping_address_id, billing_address_id FROM cart
UNION ALL
SELECT 'address', id, street, NULL, NULL FROM cart_address
UNION ALL
SELECT 'line', id, product, cart_id, concat(quantity) FROM cart_line
