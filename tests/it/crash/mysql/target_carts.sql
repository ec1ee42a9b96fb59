SELECT source_id, token, email, currency, note, perks, item_count, total,
       (SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(':',
                   cart_line.source_id, sku, quantity, unit_minor, line_minor,
                   NULLIF(CONCAT_WS('+',
                       CONCAT('colour=', JSON_UNQUOTE(JSON_EXTRACT(options, '$.colour'))),
                       CONCAT('size=', JSON_UNQUOTE(JSON_EXTRACT(options, '$.size'))),
                       IF(JSON_LENGTH(JSON_REMOVE(options, '$.colour', '$.size')) > 0, 'more', NULL)), ''))
               ORDER BY cart_line.source_id SEPARATOR ' '), 'nothing') FROM cart_line WHERE cart_id = cart.id)
FROM cart
