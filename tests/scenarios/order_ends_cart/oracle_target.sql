SELECT 'order', id, customer_id, 0, CASE WHEN coupons = '' THEN 0 ELSE 1 + length(coupons) - length(replace(coupons, ',', '')) END FROM shop_order WHERE active = 1
UNION ALL SELECT 'line', order_id, product_id, address_id, quantity FROM shop_line WHERE EXISTS (SELECT 1 FROM shop_order o WHERE o.id = order_id AND o.active = 1)
