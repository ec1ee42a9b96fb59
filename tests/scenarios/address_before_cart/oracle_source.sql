SELECT 'cart', concat('cart_', id), email,
       (SELECT concat('caaddr_', min(a.id)) FROM quote_address a WHERE a.quote_id = q.id AND kind = 'shipping' HAVING count(*) > 0),
       (SELECT concat('caaddr_', max(a.id)) FROM quote_address a WHERE a.quote_id = q.id AND kind = 'billing' HAVING count(*) > 0)
FROM quote q WHERE active = 1
UNION ALL
SELECT 'address', concat('caaddr_', a.id), street, NULL, NULL FROM quote_address a JOIN quote q ON q.id = quote_id WHERE active = 1
UNION ALL
SELECT 'line', concat('cali_', i.id), sku, concat('cart_', quote_id), concat(qty) FROM quote_item i JOIN quote q ON q.id = quote_id WHERE active = 1
