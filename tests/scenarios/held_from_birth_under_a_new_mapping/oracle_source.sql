SELECT orders.id, upper(email), order_lines.id, qty FROM orders JOIN order_lines ON order_id = orders.id
WHERE orders.id < 100
