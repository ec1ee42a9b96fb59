SELECT 'cart', id, NULL, email, NULL FROM cart
UNION ALL SELECT 'item', id, cart_id, sku, NULL FROM cart_item
UNION ALL SELECT 'option', id, item_id, label, item_sku FROM cart_option
UNION ALL SELECT 'file', id, option_id, path, owner FROM cart_file
