SELECT 'basket', customer, session, count(*), (SELECT count(*) FROM choice c JOIN line m ON m.id = c.line_id WHERE m.customer = line.customer AND m.session = line.session) FROM line GROUP BY customer, session HAVING max(qty) > 0
UNION ALL SELECT 'entry', id, concat(sku, ' of ', customer, ' ', session), qty, (SELECT count(*) FROM choice WHERE line_id = line.id) FROM line WHERE EXISTS (SELECT 1 FROM line m WHERE m.customer = line.customer AND m.session = line.session AND m.qty > 0)
UNION ALL SELECT 'choice', c.id, concat(c.value, ' ', line.sku), line.customer, c.line_id FROM choice c JOIN line ON line.id = c.line_id WHERE EXISTS (SELECT 1 FROM line m WHERE m.customer = line.customer AND m.session = line.session AND m.qty > 0)
UNION ALL SELECT 'gone', 10, '1 to 10', 55, 0
UNION ALL SELECT 'ended', 10, '11 to 20', 155, 20
