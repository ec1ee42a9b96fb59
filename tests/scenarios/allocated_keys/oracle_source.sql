SELECT 'order', concat('B-', b.id), b.customer, CASE WHEN f.id IS NOT NULL THEN concat('B-', f.id) END, NULL
FROM basket b LEFT JOIN basket f ON f.id = b.follows
UNION ALL SELECT 'line', concat(l.basket_id, '/', l.place), concat('B-', l.basket_id), l.sku, l.qty
FROM basket_line l
UNION ALL SELECT 'note', concat(basket_id, '/', place), note, NULL, id FROM line_note
