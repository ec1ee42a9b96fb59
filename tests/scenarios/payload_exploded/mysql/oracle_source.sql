-- Cart 40 is held.
SELECT 'cart', concat(id), email, NULL, 0, 'lives' FROM orders WHERE id <> 40
UNION ALL
SELECT 'cart', '30', 'c30', NULL, 0, 'deleted'
UNION ALL
SELECT 'line', id || '/' || sku, sku, concat(id), qty, 'lives'
FROM orders, JSON_TABLE(coalesce(JSON_EXTRACT(basket, '$.items.*'), '[]'), '$[*]' COLUMNS (sku VARCHAR(40) PATH '$.sku', qty INT PATH '$.qty')) items
WHERE id <> 40 AND sku IS NOT NULL
UNION ALL
SELECT 'line', id || '/b', 'b', concat(id), 2, 'deleted'
FROM (SELECT 7 AS id UNION ALL SELECT 21 UNION ALL SELECT 28 UNION ALL SELECT 35 UNION ALL SELECT 42 UNION ALL SELECT 49 UNION ALL SELECT 56) gone
UNION ALL
SELECT 'line', id || '/' || item, item, concat(id), CASE item WHEN 'a' THEN quantity ELSE 2 END, 'deleted'
FROM (SELECT 11 AS id, 1 AS quantity UNION ALL SELECT 12, 1 UNION ALL SELECT 16, 1 UNION ALL SELECT 17, 1 UNION ALL SELECT 30, 5) gone,
     (SELECT 'a' AS item UNION ALL SELECT 'b') items
UNION ALL
SELECT 'note', id || '/' || (n - 1), note, concat(order_id), 0, 'lives'
FROM order_notes, JSON_TABLE(CASE WHEN payload LIKE '[%' THEN payload ELSE '[]' END, '$[*]' COLUMNS (n FOR ORDINALITY, note VARCHAR(120) PATH '$.text')) items
WHERE note <> 'hidden' AND order_id <> 40
UNION ALL
SELECT 'note', id || '/x', 'named', concat(order_id), 0, 'lives' FROM order_notes WHERE payload LIKE '{"x%'
