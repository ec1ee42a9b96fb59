SELECT 'cart', id, email, lower(currency), NULL, NULL FROM orders
UNION ALL
SELECT 'line', l.id, l.sku, concat(l.order_id), l.qty, l.price FROM order_lines l JOIN orders o ON o.id = l.order_id
UNION ALL
SELECT 'carts whose version differs from their patches', 0, NULL, NULL, NULL, NULL
