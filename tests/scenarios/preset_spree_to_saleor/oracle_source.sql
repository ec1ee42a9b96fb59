WITH cart AS (
    SELECT o.*, CASE o.store_id WHEN 1 THEN 'Main' ELSE 'Outlet' END AS channel_name,
        upper(coalesce(o.currency, s.default_currency)) AS money,
        coalesce(c.iso, CASE o.store_id WHEN 1 THEN 'US' ELSE 'DE' END) AS country
    FROM spree_orders o JOIN spree_stores s ON s.id = o.store_id
    LEFT JOIN spree_addresses a ON a.id = o.ship_address_id LEFT JOIN spree_countries c ON c.id = a.country_id
    WHERE o.completed_at IS NULL AND o.state <> 'canceled'),
address AS (
    SELECT a.id, concat_ws('/', firstname, lastname, coalesce(company, ''), address1, coalesce(address2, ''), city, zipcode,
        c.iso, coalesce(s.abbr, a.state_name, ''), coalesce(phone, '')) AS text
    FROM spree_addresses a LEFT JOIN spree_countries c ON c.id = a.country_id LEFT JOIN spree_states s ON s.id = a.state_id)
SELECT 'checkout', number, token, cart.email, lower(u.email), channel_name, money, country,
    CASE locale WHEN 'de-AT' THEN 'de' WHEN 'fr' THEN 'fr' ELSE 'en' END, coalesce(special_instructions, ''),
    ship.text, bill.text, coalesce(public_metadata ->> 'gift', 'none'), private_metadata ->> 'source',
    to_char(created_at, 'YYYY-MM-DD HH24:MI:SS.US'), to_char(updated_at - interval '1 day', 'YYYY-MM-DD HH24:MI:SS.US')
FROM cart LEFT JOIN spree_users u ON u.id = user_id AND u.id <= 22 AND u.id % 5 <> 0
LEFT JOIN address ship ON ship.id = ship_address_id LEFT JOIN address bill ON bill.id = bill_address_id
UNION ALL
SELECT 'line', number, v.sku, l.quantity::text, upper(coalesce(l.currency, cart.currency, 'USD')), l.price::text, (l.public_metadata ->> 'engraving'),
    to_char(l.created_at, 'YYYY-MM-DD HH24:MI:SS.US'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM cart JOIN spree_line_items l ON l.order_id = cart.id JOIN spree_variants v ON v.id = l.variant_id
WHERE l.quantity > 0
UNION ALL
SELECT 'addresses', (count(ship_address_id) + count(bill_address_id))::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM cart
