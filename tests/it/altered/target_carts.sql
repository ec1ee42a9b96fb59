SELECT concat_ws('|', id, coalesce(email, '-'), counter, pieces, CAST(total AS DECIMAL(20,4))) FROM cart
UNION ALL
SELECT concat_ws('|', 'line', id, cart_id, sku, qty, CAST(price AS DECIMAL(14,4))) FROM line
