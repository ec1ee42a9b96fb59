-- Cart 40 is held.
SELECT 'cart', id::text, email, NULL, 0, 'lives' FROM orders WHERE id <> 40
UNION ALL
SELECT 'cart', '30', 'c30', NULL, 0, 'deleted'
UNION ALL
SELECT 'line', id || '/' || key, value->>'sku', concat(id), (value->>'qty')::integer, 'lives'
FROM orders, jsonb_each(CASE jsonb_typeof(basket->'items') WHEN 'object' THEN basket->'items' ELSE '{}' END) WHERE id <> 40
UNION ALL
SELECT 'line', id || '/b', 'b', concat(id), 2, 'deleted' FROM generate_series(7, 56, 7) id WHERE id <> 14
UNION ALL
SELECT 'line', id || '/' || item, item, concat(id), CASE item WHEN 'a' THEN quantity ELSE 2 END, 'deleted'
FROM (VALUES (11, 1), (12, 1), (16, 1), (17, 1), (30, 5)) gone (id, quantity), (VALUES ('a'), ('b')) items (item)
UNION ALL
SELECT 'note', id || '/' || key, value->>'text', concat(order_id), 0, 'lives'
FROM order_notes, LATERAL (
    SELECT (ordinality - 1)::text AS key, value
    FROM jsonb_array_elements(CASE WHEN payload LIKE '[%' THEN payload::jsonb ELSE '[]' END) WITH ORDINALITY
    UNION ALL
    SELECT 'x', payload::jsonb->'x' WHERE payload LIKE '{"x%'
) elements WHERE value->>'text' <> 'hidden' AND order_id <> 40
