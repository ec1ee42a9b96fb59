SELECT 'basket', reference, currency, items, pieces, total_minor FROM basket
UNION ALL
SELECT 'item', i.reference, i.sku, b.reference, i.quantity, i.unit_minor FROM basket_item i JOIN basket b ON b.id = i.basket_id
UNION ALL
SELECT 'ids that are not keyed', count(*), NULL, NULL, NULL, NULL
FROM (SELECT id FROM basket WHERE id NOT REGEXP '^bkt_[a-z2-7]{26}$' UNION ALL SELECT id FROM basket_item WHERE id NOT REGEXP '^itm_[a-z2-7]{26}$') odd
