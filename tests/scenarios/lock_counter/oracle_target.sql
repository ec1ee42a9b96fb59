SELECT 'cart', cart_id, customer_email, currency_code, NULL, NULL FROM cart
UNION ALL
SELECT 'line', line_id, product, cart_id::text, quantity, unit_price FROM cart_line
UNION ALL
SELECT 'carts whose version differs from their patches', count(*), NULL, NULL, NULL, NULL
FROM cart JOIN cartage.ledger ON ledger.cart = cart_id::text
WHERE cart.version <> ledger.patches
