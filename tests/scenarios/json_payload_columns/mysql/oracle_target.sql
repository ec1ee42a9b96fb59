SELECT 'cart', id, locale, gift, first_tag, tags,
       nullif(JSON_UNQUOTE(JSON_EXTRACT(metadata, '$.token')), 'null'), JSON_UNQUOTE(JSON_EXTRACT(metadata, '$.order')),
       replace(JSON_EXTRACT(metadata, '$.list'), ' ', ''), raw, replace(skus, ' ', '')
FROM cart
UNION ALL
SELECT 'line', id, concat(cart_id), JSON_UNQUOTE(JSON_EXTRACT(options, '$.size')), JSON_UNQUOTE(JSON_EXTRACT(options, '$.text')),
       size, NULL, NULL, NULL, NULL, NULL
FROM line
