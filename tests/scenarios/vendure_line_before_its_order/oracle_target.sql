SELECT 'cart', code, customer::text, token, currency, NULL FROM cart
UNION ALL
SELECT 'line', id::text, code, variant::text, quantity::text, price::text FROM cart_line
