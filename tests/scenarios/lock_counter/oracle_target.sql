SELECT 'cart', cart_id, customer_email, currency_code, NULL, NULL FROM cart
UNION ALL
SELECT 'line', line_id, product, concat(cart_id), quantity, unit_price FROM cart_line
UNION ALL
SELECT 'carts whose version differs from their patches', count(*), NULL, NULL, NULL, NULL
FROM cart JOIN cartage.ledger AS ledger ON ledger.cart = concat(cart_id)
WHERE cart.version <> ledger.patches
