-- Each cart of the new shop as one JSON document, for the comparison with the storefront's log.
SELECT jsonb_build_object(
    'id', source_id, 'version', version, 'completed', completed_at IS NOT NULL,
    'well_named', id ~ '^cart_[a-z2-7]{26}$' AND NOT EXISTS (
        SELECT FROM cart_line WHERE cart_id = cart.id AND cart_line.id !~ '^line_[a-z2-7]{26}$'),
    'content', jsonb_build_array(
        source_id::text, token, email, currency, note, perks::text, item_count::text, total::text,
        (SELECT coalesce(jsonb_agg(jsonb_build_array(
                    cart_line.source_id, sku, quantity, unit_minor, line_minor, options)
                ORDER BY cart_line.source_id), '[]') FROM cart_line WHERE cart_id = cart.id)))
FROM cart
