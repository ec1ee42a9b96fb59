SELECT CONCAT_WS(' | ', c.id, COALESCE(c.email, 'NULL'), c.counter, c.pieces, c.total,
    COALESCE((SELECT GROUP_CONCAT(CONCAT_WS(':', l.id, l.sku, l.qty, l.price,
                 COALESCE(NULLIF(CONCAT_WS('+',
                     CONCAT('colour=', JSON_UNQUOTE(JSON_EXTRACT(l.details, '$.colour'))),
                     CONCAT('größe=', JSON_UNQUOTE(JSON_EXTRACT(l.details, '$."größe"'))),
                     IF(JSON_LENGTH(JSON_REMOVE(l.details, '$.colour', '$."größe"')) > 0, 'more', NULL)),
                     ''), 'NULL')) ORDER BY l.id SEPARATOR ' ')
              FROM line l WHERE l.cart_id = c.id), 'nothing'))
FROM cart c WHERE c.completed_at IS NULL
