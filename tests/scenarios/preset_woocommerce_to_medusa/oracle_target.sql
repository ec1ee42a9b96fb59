SELECT 'cart', c.metadata ->> 'woo_session', c.email, u.email, coalesce(c.metadata #>> '{woo_coupons,0}', ''), NULL, NULL
FROM cart c LEFT JOIN customer u ON u.id = c.customer_id JOIN region r ON r.id = c.region_id AND r.currency_code = c.currency_code JOIN sales_channel s ON s.id = c.sales_channel_id
WHERE c.deleted_at IS NULL
UNION ALL
SELECT 'line', c.metadata ->> 'woo_session', l.metadata ->> 'woo_item_key', v.sku, l.quantity::text,
    CASE WHEN l.unit_price = (l.raw_unit_price ->> 'value')::numeric THEN round(l.unit_price, 4)::text END, coalesce(l.metadata #>> '{woo_variation,attribute_pa_size}', '')
FROM cart_line_item l JOIN cart c ON c.id = l.cart_id AND c.deleted_at IS NULL
JOIN product_variant v ON v.id = l.variant_id AND v.title = l.title JOIN product p ON p.id = v.product_id AND p.title = l.product_title
WHERE l.deleted_at IS NULL
