SELECT 'cart', v.session_key, lower(CASE WHEN v.email <> '' THEN v.email ELSE u.user_email END), CASE WHEN u.ID % 4 <> 0 THEN lower(u.user_email) END, v.coupon, NULL, NULL
FROM visitor v LEFT JOIN wp_users u ON concat(u.ID, '') = v.session_key
WHERE EXISTS (SELECT 1 FROM meant m WHERE m.session_key = v.session_key)
UNION ALL
SELECT 'line', m.session_key, m.item_key, p.sku, ceiling(m.quantity), round(m.subtotal / m.quantity, 4), m.size
FROM meant m JOIN wp_wc_product_meta_lookup p ON p.product_id = CASE m.variation_id WHEN 0 THEN m.product_id ELSE m.variation_id END
