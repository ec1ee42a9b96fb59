SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', l.id, l.sku, concat(l.order_id), l.qty, l.price FROM order_lines l JOIN orders o ON o.id = l.order_id
UNION ALL
SELECT 'address', id, street, city, NULL, NULL FROM orders WHERE street IS NOT NULL
