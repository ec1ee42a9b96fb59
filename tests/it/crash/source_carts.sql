-- What the new shop should hold of the live carts, computed from the old shop's tables.
WITH minor(currency, factor) AS (VALUES ('EUR', 100), ('JPY', 1), ('KWD', 1000))
SELECT carts.id, carts.token, lower(trim(email)), lower(carts.currency),
       CASE WHEN $UPPER THEN upper(note) ELSE note END,
       (SELECT count(*) FROM perks WHERE cart_id = carts.id),
       (SELECT coalesce(sum(quantity), 0) FROM lines WHERE cart_id = carts.id),
       (SELECT coalesce(sum(round(price * quantity * factor)), 0) FROM lines WHERE cart_id = carts.id),
       (SELECT coalesce(string_agg(concat_ws(':',
                   lines.id, sku, quantity, round(price * factor), round(price * quantity * factor),
                   (SELECT string_agg(name || '=' || value, '+' ORDER BY name COLLATE "C")
                    FROM options WHERE line_id = lines.id)),
               ' ' ORDER BY lines.id), 'nothing') FROM lines WHERE cart_id = carts.id)
FROM carts JOIN minor USING (currency)
WHERE state = 'cart'
