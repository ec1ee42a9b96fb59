SELECT 'order', o.code, o.customer, f.code, NULL
FROM "order" o LEFT JOIN "order" f ON f.id = o.follows WHERE o.code NOT LIKE 'own%'
UNION ALL SELECT 'line', l.code, o.code, l.sku, l.quantity
FROM order_line l JOIN "order" o ON o.id = l.order_id WHERE l.code <> 'own'
UNION ALL SELECT 'note', l.code, n.note, NULL, n.id FROM order_note n JOIN order_line l ON l.id = n.line_id
