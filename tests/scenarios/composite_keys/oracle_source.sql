SELECT store, session, note, NULL AS position, NULL AS sku, NULL AS qty FROM basket
UNION ALL
SELECT store, session, 'line', position, sku, qty FROM basket_item
