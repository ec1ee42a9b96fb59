SELECT concat_ws('|', q.id, coalesce(lower(q.email), '-'), q.counter,
    (SELECT coalesce(sum(i.qty), 0) FROM quote_item i WHERE i.quote_id = q.id),
    CAST((SELECT coalesce(sum(i.price * i.qty), 0) FROM quote_item i WHERE i.quote_id = q.id) AS DECIMAL(20,4)))
FROM quote q WHERE q.status = 'cart'
UNION ALL
SELECT concat_ws('|', 'line', i.id, i.quote_id, i.sku, i.qty, CAST(i.price AS DECIMAL(14,4)))
FROM quote_item i JOIN quote q ON q.id = i.quote_id WHERE q.status = 'cart'
