SELECT 'cart', store_id, customer_id, session_id, count(*), sum(quantity) FROM oc_cart WHERE customer_id IS NOT NULL AND session_id IS NOT NULL GROUP BY store_id, customer_id, session_id
UNION ALL SELECT 'line', cart_id, product_id, concat(store_id, '-', customer_id, '-', session_id), quantity, 0 FROM oc_cart WHERE customer_id IS NOT NULL AND session_id IS NOT NULL
