-- Each side's change counts.
SELECT 'line', id_cart || '-' || id_product || '-' || id_attribute, id_product || '.' || id_attribute,
       sum(quantity) + CASE WHEN id_cart BETWEEN 11 AND 40 THEN 3 ELSE 0 END
FROM cart_product GROUP BY id_cart, id_product, id_attribute
UNION ALL
SELECT 'extra', id_cart || '/' || name, name,
       JSON_EXTRACT(extras, '$.' || name) + CASE WHEN id_cart BETWEEN 11 AND 40 AND name <> 'box' THEN 1 ELSE 0 END
FROM basket, (SELECT 'wrap' AS name UNION ALL SELECT 'card' UNION ALL SELECT 'box') names
WHERE JSON_EXTRACT(extras, '$.' || name) IS NOT NULL
