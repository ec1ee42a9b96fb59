-- Each cart of the new shop as one JSON document, for the comparison with the storefront's log. Texts
-- that are JSON become it by JSON_EXTRACT, which MariaDB too has.
SELECT JSON_OBJECT(
    'id', source_id, 'version', version,
    'completed', JSON_EXTRACT(IF(completed_at IS NULL, 'false', 'true'), '$'),
    'well_named', JSON_EXTRACT(IF(id RLIKE '^cart_[a-z2-7]{26}$' AND NOT EXISTS (
        SELECT 1 FROM cart_line WHERE cart_id = cart.id AND cart_line.id NOT RLIKE '^line_[a-z2-7]{26}$'),
        'true', 'false'), '$'),
    'content', JSON_ARRAY(
        CONCAT(source_id, ''), token, email, currency, note, CONCAT(perks, ''), CONCAT(item_count, ''),
        CONCAT(total, ''),
        JSON_EXTRACT(COALESCE((
            SELECT CONCAT('[', GROUP_CONCAT(JSON_ARRAY(
                    cart_line.source_id, sku, quantity, unit_minor, line_minor, JSON_EXTRACT(options, '$'))
                ORDER BY cart_line.source_id SEPARATOR ','), ']')
            FROM cart_line WHERE cart_id = cart.id), '[]'), '$')))
FROM cart
