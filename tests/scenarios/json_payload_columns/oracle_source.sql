SELECT 'cart', id, attributes->>'locale', attributes->>'gift', attributes #>> '{tags,0}', jsonb_array_length(attributes->'tags'),
       token, concat(id), '[' || id || ',"x",null]', raw::text,
       (SELECT replace(jsonb_agg(sku ORDER BY id)::text, ' ', '') FROM order_lines WHERE order_id = orders.id)
FROM orders
UNION ALL
SELECT 'line', id, concat(order_id), options->>'size', options->>'text', (options->>'size')::numeric, NULL, NULL, NULL, NULL, NULL FROM order_lines
