SELECT 'cart', id, CASE region WHEN 1 THEN 'reg_de' WHEN 2 THEN 'reg_fr' ELSE 'reg_world' END,
       CASE status WHEN 'open' THEN 1 WHEN 'waiting' THEN 2 END,
       CASE gift WHEN 'y' THEN 'yes' WHEN 'n' THEN 'no' END, split_part(meta, '"', 10)
FROM orders WHERE id NOT IN (5, 8)
UNION ALL
SELECT 'line', id, CASE kind WHEN 'simple' THEN 'goods' ELSE 'set' END, qty::integer, concat(order_id), NULL
FROM order_lines WHERE kind IN ('simple', 'bundle') AND order_id NOT IN (5, 8)
