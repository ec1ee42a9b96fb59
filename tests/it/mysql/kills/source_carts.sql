SELECT CONCAT_WS(' | ', q.id, COALESCE(LOWER(q.email), 'NULL'), q.counter,
    (SELECT COALESCE(SUM(qty), 0) FROM quote_item WHERE quote_id = q.id),
    (SELECT CAST(COALESCE(SUM(qty * price), 0) AS DECIMAL(20,3)) FROM quote_item WHERE quote_id = q.id),
    COALESCE((SELECT GROUP_CONCAT(CONCAT_WS(':', i.id, i.sku, i.qty, i.price,
                 COALESCE((SELECT GROUP_CONCAT(CONCAT(name, '=', value) ORDER BY name SEPARATOR '+')
                           FROM detail WHERE item_id = i.id), 'NULL'))
              ORDER BY i.id SEPARATOR ' ')
              FROM quote_item i WHERE i.quote_id = q.id), 'nothing'))
FROM quote q WHERE q.status = 'cart'
