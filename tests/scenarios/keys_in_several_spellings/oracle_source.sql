SELECT 'cart', o.shop || '-' || floor(o.number) || '-' || o.token, 0, o.email, (SELECT count(*) FROM order_lines l WHERE l.token = o.token)
FROM orders o
UNION ALL
SELECT 'line', l.shop || '-' || floor(l.number) || '-' || l.token, floor(l.id),
       l.sku || coalesce((SELECT max(p.code) FROM options p WHERE p.line_id = l.id), ''), 0
FROM order_lines l JOIN orders o ON o.token = l.token
