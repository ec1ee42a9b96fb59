SELECT source_id, token, email, currency, note, perks, item_count, total,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   cart_line.source_id, sku, quantity, unit_minor, line_minor, options)
               ORDER BY cart_line.source_id), '[]') FROM cart_line WHERE cart_id = cart.id)
FROM cart
