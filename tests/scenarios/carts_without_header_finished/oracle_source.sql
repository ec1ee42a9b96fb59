SELECT 'basket', customer, session, count(*), 0 FROM line WHERE customer > 2 GROUP BY customer, session
UNION ALL SELECT 'entry', id, concat(customer, session), qty, 0 FROM line WHERE customer > 2
UNION ALL SELECT 'basket', 1, 's', 2, 1
UNION ALL SELECT 'basket', 2, 's', 2, 1
UNION ALL SELECT 'entry', 11, '1s', 1, 1
UNION ALL SELECT 'entry', 12, '1s', 2, 1
UNION ALL SELECT 'entry', 21, '2s', 1, 1
UNION ALL SELECT 'entry', 22, '2s', 2, 1
