-- The carts as the new shop should have them.
SELECT c.token,
       concat_ws('|', concat('customer-', c.customer_id), lower(c.currency), c.status,
                 coalesce(l.items, 0), coalesce(l.total, 0),
                 date_format(c.created_at, '%Y-%m-%d %H:%i:%s.%f'),
                 date_format(c.updated_at, '%Y-%m-%d %H:%i:%s.%f'), l.lines_) AS cart
FROM cart c LEFT JOIN (
    SELECT cart_id, sum(qty) AS items, sum(CAST(unit_price * qty * 100 AS SIGNED)) AS total,
           group_concat(concat_ws(':', sku, qty, CAST(unit_price * 100 AS SIGNED),
                            date_format(added_at, '%Y-%m-%d %H:%i:%s.%f'),
                            date_format(updated_at, '%Y-%m-%d %H:%i:%s.%f'))
                        ORDER BY CAST(sku AS BINARY) SEPARATOR ',') AS lines_
    FROM cart_item GROUP BY cart_id) l ON l.cart_id = c.id
