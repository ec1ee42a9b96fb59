SELECT 'cart', q.entity_id, lower(q.customer_email), lower(coalesce(q.quote_currency_code, q.store_currency_code, 'EUR')),
    CASE q.store_id WHEN 1 THEN 'Europe' WHEN 2 THEN 'America' END, 'The web',
    (SELECT lower(c.email) FROM customer_entity c WHERE c.entity_id = q.customer_id AND c.entity_id <= 22 AND c.entity_id % 5 <> 0),
    (SELECT masked_id FROM quote_id_mask m WHERE m.quote_id = q.entity_id), q.coupon_code,
    DATE_FORMAT(q.created_at, '%Y-%m-%d %H:%i:%s'), DATE_FORMAT(q.updated_at, '%Y-%m-%d %H:%i:%s'),
    (SELECT a.address_id FROM quote_address a WHERE a.quote_id = q.entity_id AND a.address_type = 'shipping' AND a.country_id IS NOT NULL ORDER BY 1 LIMIT 1),
    (SELECT a.address_id FROM quote_address a WHERE a.quote_id = q.entity_id AND a.address_type = 'billing' AND a.country_id IS NOT NULL)
FROM quote q WHERE q.is_active = 1
UNION ALL
SELECT 'line', i.item_id, i.quote_id, coalesce(chosen.sku, i.sku),
    CASE WHEN i.sku LIKE 'MUG%' THEN 'Mug' WHEN i.sku LIKE 'SHIRT%' THEN 'Shirt' ELSE 'Cloth' END, CEILING(i.qty), i.qty,
    coalesce(i.custom_price, i.price), trim(TRAILING '.' FROM trim(TRAILING '0' FROM coalesce(i.custom_price, i.price))),
    CASE WHEN i.custom_price IS NULL THEN 'list' ELSE 'custom' END || CASE WHEN i.is_virtual = 1 THEN ' virtual' ELSE ' shipped' END,
    DATE_FORMAT(i.updated_at, '%Y-%m-%d %H:%i:%s'),
    (SELECT o.value FROM quote_item_option o WHERE o.item_id = i.item_id AND o.code = 'info_buyRequest'),
    (SELECT group_concat(o.code || '=' || o.value ORDER BY o.code) FROM quote_item_option o WHERE o.item_id = i.item_id AND o.code REGEXP '^option_')
FROM quote_item i JOIN quote q ON q.entity_id = i.quote_id AND q.is_active = 1
LEFT JOIN quote_item chosen ON chosen.parent_item_id = i.item_id
WHERE i.parent_item_id IS NULL
UNION ALL
SELECT 'address', a.address_id, a.address_type, a.firstname, a.lastname, substring_index(a.street, '
', 1), CASE WHEN a.street LIKE '%Yard' THEN 'Flat ' || a.quote_id || ', The Yard' END, a.city, a.region, a.postcode, lower(a.country_id), a.telephone, NULL
FROM quote_address a JOIN quote q ON q.entity_id = a.quote_id AND q.is_active = 1
WHERE a.country_id IS NOT NULL
