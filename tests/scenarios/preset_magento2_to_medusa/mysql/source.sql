-- platform magento2
INSERT INTO store VALUES (1, 'europe', 1), (2, 'america', 1);
-- Customers may write themselves as they like.
INSERT INTO customer_entity (entity_id, website_id, email)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 25)
SELECT n, 1, CASE n % 2 WHEN 0 THEN 'Customer' ELSE 'customer' END || n || '@Example.org' FROM n;
INSERT INTO catalog_product_entity (entity_id, type_id, sku)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 12)
SELECT n, 'simple', 'MUG-' || n FROM n;
INSERT INTO catalog_product_entity (entity_id, type_id, sku) VALUES
    (50, 'configurable', 'SHIRT'), (51, 'simple', 'SHIRT-S'), (52, 'simple', 'SHIRT-M'), (60, 'simple', 'CLOTH');

-- 60 quotes, the last ten of which were ordered long ago; the first 20 are of customers.
INSERT INTO quote (entity_id, store_id, created_at, updated_at, is_active, quote_currency_code, store_currency_code,
    customer_id, customer_email, customer_is_guest, items_count, items_qty)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 60)
SELECT n, 1 + n % 2, '2026-03-01 08:00:00' + INTERVAL n HOUR, '2026-03-10 20:15:00' + INTERVAL n MINUTE, n <= 50,
    CASE WHEN n % 10 = 9 THEN NULL WHEN n % 2 = 0 THEN 'EUR' ELSE 'USD' END, 'EUR',
    CASE WHEN n <= 20 THEN n END, CASE WHEN n <= 20 THEN 'Customer' || n || '@Example.org' END, n > 20, 2, 3
FROM n;
INSERT INTO quote_id_mask (quote_id, masked_id) SELECT entity_id, md5('token ' || entity_id) FROM quote WHERE entity_id > 20;
-- Each has a mug, and a shirt of which the second row is the variant.
INSERT INTO quote_item (item_id, quote_id, created_at, updated_at, product_id, store_id, is_virtual, sku, name, qty, price, row_total, product_type)
SELECT entity_id * 100 + 1, entity_id, created_at, updated_at, 1 + entity_id % 10, store_id, entity_id % 7 = 0, 'MUG-' || (1 + entity_id % 10),
    'A mug of Magento''s', 1 + entity_id % 3, 9.95 + entity_id, 0, 'simple' FROM quote;
INSERT INTO quote_item (item_id, quote_id, created_at, updated_at, product_id, store_id, is_virtual, sku, name, qty, price, row_total, product_type)
SELECT entity_id * 100 + 2, entity_id, created_at, updated_at, 50, store_id, 0, 'SHIRT', 'A shirt', 2, 25, 0, 'configurable' FROM quote;
INSERT INTO quote_item (item_id, quote_id, created_at, updated_at, product_id, store_id, parent_item_id, is_virtual, sku, name, qty, price, product_type)
SELECT entity_id * 100 + 3, entity_id, created_at, updated_at, 51, store_id, entity_id * 100 + 2, 0, 'SHIRT-S', 'A small shirt', 1, 0, 'simple' FROM quote;
INSERT INTO quote_item_option (item_id, product_id, code, value)
SELECT item_id, product_id, 'info_buyRequest', '{"qty":' || round(qty) || ',"item":' || item_id || '}' FROM quote_item
UNION ALL SELECT item_id, product_id, 'simple_product', '51' FROM quote_item WHERE product_type = 'configurable'
UNION ALL SELECT item_id, product_id, 'option_7', 'engraved' FROM quote_item WHERE product_type = 'simple' AND quote_id % 4 = 0;
-- Two addresses for each, mostly empty.
INSERT INTO quote_address (address_id, quote_id, address_type) SELECT entity_id * 10 + 1, entity_id, 'billing' FROM quote;
INSERT INTO quote_address (address_id, quote_id, address_type) SELECT entity_id * 10 + 2, entity_id, 'shipping' FROM quote;
UPDATE quote_address SET firstname = 'Ada', lastname = 'Number ' || quote_id, street = '1 High Street
Flat ' || quote_id || '
The Yard', city = 'Town', region = 'Shire', postcode = quote_id, country_id = 'GB', telephone = '0123' WHERE quote_id % 3 = 0;
