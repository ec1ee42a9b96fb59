-- The carts as the new shop has them.
SELECT b.token::text AS token,
       concat_ws('|', b.customer_ref, b.currency, b.state, b.item_count, b.total_minor,
                 to_char(b.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
                 to_char(b.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), l.lines) AS cart
FROM basket b LEFT JOIN LATERAL (
    SELECT string_agg(concat_ws(':', sku, quantity, unit_minor,
                          to_char(added_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
                          to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')), ','
                      ORDER BY sku COLLATE "C") AS lines
    FROM basket_line WHERE basket_id = b.id) l ON true
