SELECT source_id, token, email, currency, note, perks, item_count, total,
       (SELECT coalesce(string_agg(concat_ws(':',
                   cart_line.source_id, sku, quantity, unit_minor, line_minor,
                   (SELECT string_agg(key || '=' || value, '+' ORDER BY key COLLATE "C")
                    FROM jsonb_each_text(options))),
               ' ' ORDER BY cart_line.source_id), 'nothing') FROM cart_line WHERE cart_id = cart.id)
FROM cart
