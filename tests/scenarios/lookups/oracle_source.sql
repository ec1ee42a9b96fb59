SELECT 'cart', q.id, q.email, NULL, NULL, NULL, NULL FROM quote q
UNION ALL SELECT 'line', i.id, 'var_' || p.sku,
    CASE WHEN p.id % 7 > 0 THEN 'T-' || p.id ELSE 'none' END,
    CASE WHEN i.kind = 'a' AND p.id % 2 = 0 AND p.id % 6 > 0 THEN 'shelf ' || p.id END,
    CASE WHEN i.qty <= 5 THEN 'few' WHEN i.qty = 6 THEN 'six' WHEN i.qty = 7 THEN 'seven' END,
    i.qty
FROM quote_item i JOIN product p ON p.id = i.product_id
