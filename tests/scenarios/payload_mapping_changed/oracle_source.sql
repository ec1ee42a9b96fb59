SELECT 'cart', concat(id_cart), email, 0 FROM basket
UNION ALL
SELECT 'line', id_cart || '-' || id_product || '-' || id_attribute, id_product || '.' || id_attribute, quantity FROM cart_product
UNION ALL
SELECT 'extra', id_cart || '/card', upper(extras->'card'->>'name'), (extras->'card'->>'pieces')::integer FROM basket WHERE extras ? 'card'
