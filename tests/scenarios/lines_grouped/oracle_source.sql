SELECT 'cart', concat(id_cart), NULL, email, 0, 0, NULL, 'lives' FROM basket
UNION ALL
SELECT 'line', id_cart || '-' || id_product || '-' || id_attribute, concat(id_cart), id_product || '.' || id_attribute,
       sum(quantity), count(*), (SELECT email FROM basket b WHERE b.id_cart = p.id_cart), 'lives'
FROM cart_product p WHERE quantity > 0 GROUP BY id_cart, id_product, id_attribute
UNION ALL
SELECT 'line', id_cart || '-' || id_product || '-' || id_attribute, concat(id_cart), id_product || '.' || id_attribute, 0, 0, NULL, 'deleted'
FROM (
    SELECT 5 AS id_cart, 1 AS id_product, 0 AS id_attribute
    UNION ALL SELECT 6, 2, 0 UNION ALL SELECT 8, 1, 0 UNION ALL SELECT 8, 2, 0 UNION ALL SELECT 12, 2, 0 UNION ALL SELECT 22, 1, 0
) gone
