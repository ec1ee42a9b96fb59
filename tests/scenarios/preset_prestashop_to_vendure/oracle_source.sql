SELECT 'order', c.id_cart, CASE c.id_shop WHEN 1 THEN 'eu' ELSE 'us' END, m.iso_code,
    (SELECT lower(u.email) FROM ps_customer u WHERE u.id_customer = c.id_customer AND u.id_customer <= 22 AND u.id_customer % 5 <> 0),
    coalesce((SELECT group_concat(r.code ORDER BY r.id_cart_rule) FROM ps_cart_cart_rule l JOIN ps_cart_rule r ON r.id_cart_rule = l.id_cart_rule WHERE l.id_cart = c.id_cart AND r.code <> ''), ''),
    (SELECT a.firstname || ' ' || a.lastname || '/' || a.address1 || '/' || a.postcode || '/' || n.iso_code || '/' || coalesce(s.name, '') || '/' || CASE WHEN a.phone = '' THEN a.phone_mobile ELSE a.phone END
        FROM ps_address a JOIN ps_country n ON n.id_country = a.id_country LEFT JOIN ps_state s ON s.id_state = a.id_state WHERE a.id_address = c.id_address_delivery),
    (SELECT a.address1 FROM ps_address a WHERE a.id_address = c.id_address_invoice),
    -- Paris is one hour ahead of UTC, and two from the last Sunday of March on.
    DATE_FORMAT(c.date_add - INTERVAL CASE WHEN c.date_add >= '2026-03-29 03:00:00' OR c.date_add < '2020-01-01' THEN 2 ELSE 1 END HOUR, '%Y-%m-%d %H:%i:%s'),
    DATE_FORMAT(c.date_upd - INTERVAL CASE WHEN c.date_upd >= '2026-03-29 03:00:00' OR c.date_upd < '2020-01-01' THEN 2 ELSE 1 END HOUR, '%Y-%m-%d %H:%i:%s'),
    CASE c.id_customer WHEN 0 THEN 'guest' ELSE 'customer' END
FROM ps_cart c JOIN ps_currency m ON m.id_currency = c.id_currency
WHERE NOT EXISTS (SELECT 1 FROM ps_orders o WHERE o.id_cart = c.id_cart) AND c.date_upd > '2026-01-01'
UNION ALL
SELECT 'line', p.id_cart, CASE p.id_product WHEN 9 THEN CASE p.id_product_attribute WHEN 91 THEN 'P-9-RED' ELSE 'P-9-BLUE' END ELSE 'P-' || p.id_product END,
    sum(p.quantity), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM ps_cart_product p JOIN ps_cart c ON c.id_cart = p.id_cart
WHERE NOT EXISTS (SELECT 1 FROM ps_orders o WHERE o.id_cart = c.id_cart) AND c.date_upd > '2026-01-01'
GROUP BY p.id_cart, p.id_product, p.id_product_attribute, p.id_customization
