SELECT 'cart', id::text, attributes->>'locale', attributes->>'gift', attributes #>> '{tags,0}', jsonb_array_length(attributes->'tags')::text,
       jsonb_build_object('token', token, 'order', id, 'list', jsonb_build_array(id, 'x', NULL))::text, raw::text,
       (SELECT jsonb_agg(sku ORDER BY id)::text FROM order_lines WHERE order_id = orders.id) FROM orders
UNION ALL
SELECT 'line', id::text, order_id::text, (options->>'size')::numeric::integer::text, options::text, NULL, NULL, NULL, NULL FROM order_lines
