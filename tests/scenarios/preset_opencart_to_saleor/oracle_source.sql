SELECT 'checkout', c.session_id, lower(u.email), CASE WHEN c.customer_id % 5 <> 0 THEN lower(u.email) END,
    CASE c.store_id WHEN 0 THEN 'Main USD US' ELSE 'Outlet EUR DE' END, NULL
FROM (SELECT DISTINCT store_id, customer_id, session_id FROM oc_cart) c LEFT JOIN oc_customer u ON u.customer_id = c.customer_id
UNION ALL
SELECT 'line', c.session_id, CASE c.store_id WHEN 0 THEN 'Main USD' ELSE 'Outlet EUR' END, CASE p.sku WHEN '' THEN p.model ELSE p.sku END, c.quantity, c.`option`
FROM oc_cart c JOIN oc_product p ON p.product_id = c.product_id WHERE c.quantity > 0
