SELECT 'cart', store, customer, session, line_count, quantity FROM checkout
UNION ALL SELECT 'line', l.id, l.product, concat(c.store, '-', c.customer, '-', c.session), l.quantity, 0 FROM checkout_line l JOIN checkout c ON c.token = l.checkout
