-- The carts as the new shop has them.
SELECT b.token,
       concat_ws('|', b.customer_ref, b.currency, b.state, b.item_count, b.total_minor,
                 date_format(b.created_at, '%Y-%m-%d %H:%i:%s.%f'),
                 date_format(b.updated_at, '%Y-%m-%d %H:%i:%s.%f'), l.lines_) AS cart
FROM basket b LEFT JOIN (
    SELECT basket_id,
           group_concat(concat_ws(':', sku, quantity, unit_minor,
                            date_format(added_at, '%Y-%m-%d %H:%i:%s.%f'),
                            date_format(updated_at, '%Y-%m-%d %H:%i:%s.%f'))
                        ORDER BY CAST(sku AS BINARY) SEPARATOR ',') AS lines_
    FROM basket_line GROUP BY basket_id) l ON l.basket_id = b.id
