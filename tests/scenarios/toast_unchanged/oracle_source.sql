SELECT 'cart', id, email, payload, length(payload) FROM orders
UNION ALL
SELECT 'line', id, order_id || sku, configuration, length(configuration) FROM order_lines
