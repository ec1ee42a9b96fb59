SELECT 'cart', c.metadata ->> 'magento_quote_id', c.email, c.currency_code, r.name, s.name, u.email,
    c.metadata ->> 'magento_token', c.metadata ->> 'magento_coupon',
    to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
    ship.metadata ->> 'magento_address_id', bill.metadata ->> 'magento_address_id'
FROM cart c LEFT JOIN region r ON r.id = c.region_id LEFT JOIN sales_channel s ON s.id = c.sales_channel_id
LEFT JOIN customer u ON u.id = c.customer_id AND u.has_account AND u.deleted_at IS NULL
LEFT JOIN cart_address ship ON ship.id = c.shipping_address_id AND ship.deleted_at IS NULL
LEFT JOIN cart_address bill ON bill.id = c.billing_address_id AND bill.deleted_at IS NULL
WHERE c.deleted_at IS NULL AND c.completed_at IS NULL
UNION ALL
SELECT 'line', l.metadata ->> 'magento_item_id', c.metadata ->> 'magento_quote_id', v.sku, p.title, l.quantity::text, l.metadata ->> 'magento_qty',
    round(l.unit_price, 4)::text, l.raw_unit_price ->> 'value',
    CASE WHEN l.is_custom_price THEN 'custom' ELSE 'list' END || CASE WHEN l.requires_shipping THEN ' shipped' ELSE ' virtual' END,
    to_char(l.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), l.metadata #>> '{magento_options,info_buyRequest}',
    (SELECT string_agg(o.key || '=' || o.value, ',' ORDER BY o.key) FROM jsonb_each_text(nullif(l.metadata -> 'magento_options', 'null')) o WHERE o.key <> 'info_buyRequest')
FROM cart_line_item l JOIN cart c ON c.id = l.cart_id AND c.deleted_at IS NULL
JOIN product_variant v ON v.id = l.variant_id AND v.deleted_at IS NULL AND v.title = l.title AND v.sku = l.variant_sku
JOIN product p ON p.id = l.product_id AND p.title = l.product_title AND p.handle = l.product_handle AND p.id = v.product_id
WHERE l.deleted_at IS NULL
UNION ALL
SELECT 'address', metadata ->> 'magento_address_id', metadata ->> 'magento_address_type', first_name, last_name, address_1, address_2, city, province, postal_code, country_code, phone, NULL
FROM cart_address WHERE deleted_at IS NULL
