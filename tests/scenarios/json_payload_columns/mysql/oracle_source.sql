SELECT 'cart', id, JSON_UNQUOTE(JSON_EXTRACT(attributes, '$.locale')), JSON_UNQUOTE(JSON_EXTRACT(attributes, '$.gift')),
       JSON_UNQUOTE(JSON_EXTRACT(attributes, '$.tags[0]')), JSON_LENGTH(attributes, '$.tags'),
       token, concat(id), '[' || id || ',"x",null]', concat(raw),
       (SELECT '["' || GROUP_CONCAT(sku ORDER BY id SEPARATOR '","') || '"]' FROM order_lines WHERE order_id = orders.id)
FROM orders
UNION ALL
SELECT 'line', id, concat(order_id), JSON_UNQUOTE(JSON_EXTRACT(options, '$.size')), JSON_UNQUOTE(JSON_EXTRACT(options, '$.text')),
       CAST(JSON_UNQUOTE(JSON_EXTRACT(options, '$.size')) AS SIGNED), NULL, NULL, NULL, NULL, NULL
FROM order_lines
