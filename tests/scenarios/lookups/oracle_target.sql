SELECT 'cart', id, email, NULL, NULL, NULL, NULL FROM cart
UNION ALL SELECT 'line', id, variant_id, title, shelf, grade, qty FROM cart_line
