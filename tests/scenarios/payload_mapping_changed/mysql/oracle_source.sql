SELECT 'cart', concat(id_cart), email, 0 FROM basket
UNION ALL
SELECT 'line', id_cart || '-' || id_product || '-' || id_attribute, id_product || '.' || id_attribute, quantity FROM cart_product
UNION ALL
SELECT 'extra', id_cart || '/card', upper(JSON_UNQUOTE(JSON_EXTRACT(extras, '$.card.name'))), JSON_EXTRACT(extras, '$.card.pieces')
FROM basket WHERE JSON_EXTRACT(extras, '$.card') IS NOT NULL
