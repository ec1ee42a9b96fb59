SELECT 'cart', id, email, money, note, pieces FROM cart
UNION ALL
SELECT 'line', id, product, concat(cart_id), concat(price), amount FROM cart_line
UNION ALL
SELECT 'contacts left', count(*), NULL, NULL, NULL, 0 FROM cart_contact
