WITH unit AS (SELECT id, lower(currency) AS currency, CASE currency WHEN 'JPY' THEN 1 ELSE 100 END AS minor FROM orders)
SELECT 'basket', u.id, u.currency, count(l.id), coalesce(sum(l.qty), 0), round(coalesce(sum(l.qty * l.price), 0) * u.minor)
FROM unit u LEFT JOIN order_lines l ON l.order_id = u.id GROUP BY u.id, u.currency, u.minor
UNION ALL
SELECT 'item', l.id, upper(l.sku), u.id, l.qty, round(l.price * u.minor) FROM order_lines l JOIN unit u ON u.id = l.order_id
UNION ALL
SELECT 'ids that are not keyed', 0, NULL, NULL, NULL, NULL
