SELECT 'cart', id, locale, gift, first_tag, tags,
       metadata->>'token', metadata->>'order', replace((metadata->'list')::text, ' ', ''), raw::text, replace(skus::text, ' ', '')
FROM cart
UNION ALL
SELECT 'line', id, concat(cart_id), options->>'size', options->>'text', size, NULL, NULL, NULL, NULL, NULL FROM line
