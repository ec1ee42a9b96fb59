WITH address AS (
    SELECT id, concat_ws('/', first_name, last_name, company_name, street_address_1, street_address_2, city, postal_code, country, country_area, phone) AS text
    FROM account_address)
SELECT 'checkout', m.private_metadata ->> 'spree_number', m.private_metadata ->> 'spree_token', c.email, u.email, n.name, c.currency, c.country,
    c.language_code, c.note, ship.text, bill.text, coalesce(m.metadata ->> 'gift', 'none'), (m.private_metadata ->> 'spree_private_metadata')::jsonb ->> 'source',
    to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), to_char(c.price_expiration AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
FROM checkout_checkout c JOIN checkout_checkoutmetadata m ON m.checkout_id = c.token JOIN channel_channel n ON n.id = c.channel_id
LEFT JOIN account_user u ON u.id = c.user_id
LEFT JOIN address ship ON ship.id = c.shipping_address_id LEFT JOIN address bill ON bill.id = c.billing_address_id
WHERE c.last_change > now() - interval '1 hour'
UNION ALL
-- The price is that of when the line came, so it is Spree's own where none has changed since.
SELECT 'line', m.private_metadata ->> 'spree_number', v.sku, l.quantity::text, l.currency, round(l.undiscounted_unit_price_amount, 2)::text, l.metadata ->> 'engraving',
    to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM checkout_checkoutline l JOIN checkout_checkoutmetadata m ON m.checkout_id = l.checkout_id JOIN product_productvariant v ON v.id = l.variant_id
UNION ALL
SELECT 'addresses', count(*)::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM account_address
