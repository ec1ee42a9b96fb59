SELECT 'cart', cart_id, customer_email, currency_code, NULL, NULL FROM cart
UNION ALL
SELECT 'line', line_id, product, concat(cart_id), quantity, unit_price FROM cart_line
