SELECT 'checkout', c.tracking_code, c.email, u.email, n.name || ' ' || c.currency || ' ' || c.country, NULL
FROM checkout_checkout c JOIN channel_channel n ON n.id = c.channel_id LEFT JOIN account_user u ON u.id = c.user_id
WHERE c.last_change > now() - interval '1 hour' AND c.price_expiration < now()
UNION ALL
SELECT 'line', c.tracking_code, n.name || ' ' || l.currency, v.sku, l.quantity::text, l.metadata ->> 'opencart_options'
FROM checkout_checkoutline l JOIN checkout_checkout c ON c.token = l.checkout_id JOIN channel_channel n ON n.id = c.channel_id
JOIN product_productvariant v ON v.id = l.variant_id
