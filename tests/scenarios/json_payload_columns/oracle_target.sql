SELECT 'cart', id::text, locale, gift, first_tag, tags::text, metadata::text, raw::text, skus::text FROM cart
UNION ALL
SELECT 'line', id::text, cart_id::text, size::text, options::text, NULL, NULL, NULL, NULL FROM line
