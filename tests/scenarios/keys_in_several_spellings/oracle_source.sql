SELECT 'cart', o.token::text, o.number::bigint, o.email, (SELECT count(*) FROM order_lines l WHERE l.token = o.token)
FROM orders o
UNION ALL
SELECT 'line', l.token::text, l.id::bigint,
       l.sku || coalesce((SELECT string_agg(p.code, '+' ORDER BY p.id) FROM options p WHERE p.line_id = l.id), ''), 0
FROM order_lines l
