-- The carts as the new shop should have them.
SELECT c.token::text AS token,
       concat_ws('|', 'customer-' || c.customer_id, lower(c.currency), c.status,
                 coalesce(l.items, 0), coalesce(l.total, 0),
                 to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
                 to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), l.lines) AS cart
FROM cart c LEFT JOIN LATERAL (
    SELECT sum(qty) AS items, sum((unit_price * qty * 100)::bigint) AS total,
           string_agg(concat_ws(':', sku, qty, (unit_price * 100)::bigint,
                          to_char(added_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
                          to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')), ','
                      ORDER BY sku COLLATE "C") AS lines
    FROM cart_item WHERE cart_id = c.id) l ON true
