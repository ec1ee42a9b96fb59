SELECT 'cart', id, email, md5(payload), length(payload) FROM orders
UNION ALL
SELECT 'line', id, order_id || sku, md5(configuration), length(configuration) FROM order_lines
