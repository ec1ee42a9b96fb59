SELECT 'cart', id, NULL, email, NULL FROM quote
UNION ALL SELECT 'item', id, quote_id, sku, NULL FROM quote_item
UNION ALL SELECT 'option', o.id, o.item_id, o.code || '=' || coalesce(o.value, '?'), i.sku FROM item_option o JOIN quote_item i ON i.id = o.item_id
UNION ALL SELECT 'file', f.id, f.option_id, f.path, q.email FROM option_file f JOIN item_option o ON o.id = f.option_id JOIN quote_item i ON i.id = o.item_id JOIN quote q ON q.id = i.quote_id
