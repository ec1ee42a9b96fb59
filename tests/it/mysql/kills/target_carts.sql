SELECT concat_ws(' | ', c.id, coalesce(c.email, 'NULL'), c.counter, c.pieces, c.total::numeric(20,3),
    coalesce((SELECT string_agg(concat_ws(':', l.id, l.sku, l.qty, l.price::numeric(12,3),
                 coalesce((SELECT string_agg(key || '=' || value, '+' ORDER BY key COLLATE "C")
                           FROM jsonb_each_text(l.details)), 'NULL')), ' ' ORDER BY l.id)
              FROM line l WHERE l.cart_id = c.id), 'nothing'))
FROM cart c WHERE c.completed_at IS NULL
