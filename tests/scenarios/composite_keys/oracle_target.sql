SELECT shop, token, remark, NULL AS number, NULL AS product, NULL AS quantity FROM cart
UNION ALL
SELECT shop, token, 'line', number, product, quantity FROM line
