SELECT 'cart', id, code, (SELECT coalesce(sum(quantity), 0) FROM order_line l WHERE l.order_id = o.id), 0 FROM shop_order o WHERE active
UNION ALL SELECT 'line', l.id, NULL, l.order_id, l.quantity FROM order_line l JOIN shop_order o ON o.id = l.order_id AND o.active
UNION ALL SELECT 'adjustment', a.id, NULL, a.line_id, a.amount FROM adjustment a JOIN order_line l ON l.id = a.line_id JOIN shop_order o ON o.id = l.order_id AND o.active
UNION ALL SELECT 'surcharge', s.id, NULL, s.order_id, s.amount FROM surcharge s JOIN shop_order o ON o.id = s.order_id AND o.active
