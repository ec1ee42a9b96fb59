-- A customer adds a configurable product: one transaction with the quote, two items, options, both
-- addresses, and the other items whose numbers changed.
BEGIN;
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, is_virtual, sku, name, qty, price, row_total, product_type) VALUES (110, 1, 50, 2, 0, 'SHIRT', 'A shirt', 3, 25, 75, 'configurable');
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, parent_item_id, is_virtual, sku, name, qty, price, product_type) VALUES (111, 1, 52, 2, 110, 0, 'SHIRT-M', 'A shirt', 1, 0, 'simple');
INSERT INTO quote_item_option (item_id, product_id, code, value) VALUES (110, 50, 'info_buyRequest', '{"qty":3}'), (110, 50, 'simple_product', '52'), (110, 50, 'attributes', '{"93":"7"}'), (111, 52, 'parent_product_id', '50');
UPDATE quote SET items_count = 3, items_qty = 6, subtotal = 130, grand_total = 130 WHERE entity_id = 1;
UPDATE quote_address SET subtotal = 130 WHERE quote_id = 1 AND address_type = 'billing';
UPDATE quote_address SET subtotal = 130, tax_amount = 20 WHERE quote_id = 1 AND address_type = 'shipping';
UPDATE quote_item SET row_total = 55, discount_amount = 1 WHERE quote_id = 1 AND item_id IN (101, 102);
COMMIT;
-- A guest: an empty quote, its token in a second transaction, and then what is put into it.
INSERT INTO quote (entity_id, store_id, customer_is_guest) VALUES (101, 1, 1);
INSERT INTO quote_id_mask (quote_id, masked_id) VALUES (101, md5('token 101'));
BEGIN;
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, sku, name, qty, price, product_type) VALUES (10101, 101, 1, 1, 'MUG-1', 'A mug', 1, 10.95, 'simple');
INSERT INTO quote_address (address_id, quote_id, address_type) VALUES (1011, 101, 'billing'), (1012, 101, 'shipping');
UPDATE quote SET quote_currency_code = 'EUR', items_count = 1 WHERE entity_id = 101;
COMMIT;
-- One who has no token until somebody asks for it.
BEGIN;
INSERT INTO quote (entity_id, store_id, customer_is_guest, quote_currency_code) VALUES (102, 2, 1, 'USD');
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, sku, name, qty, price, product_type) VALUES (10201, 102, 2, 2, 'MUG-2', 'A mug', 2, 11.95, 'simple');
INSERT INTO quote_address (address_id, quote_id, address_type) VALUES (1021, 102, 'billing'), (1022, 102, 'shipping');
COMMIT;
UPDATE quote_item SET qty = 5 WHERE item_id = 10201;
INSERT INTO quote_id_mask (quote_id, masked_id) VALUES (102, md5('token 102'));
-- A login: what the guest (30) has goes into the customer's quote (5): the same mug is added up, the
-- shirt is cloned under new numbers; then the guest's quote is deleted, and its rows by foreign keys.
BEGIN;
UPDATE quote_item SET qty = qty + 1 WHERE item_id = 501;
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, is_virtual, sku, name, qty, price, row_total, product_type) VALUES (520, 5, 50, 2, 0, 'SHIRT', 'A shirt', 2, 25, 50, 'configurable');
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, parent_item_id, is_virtual, sku, name, qty, price, product_type) VALUES (521, 5, 52, 2, 520, 0, 'SHIRT-M', 'A shirt', 1, 0, 'simple');
INSERT INTO quote_item_option (item_id, product_id, code, value) VALUES (520, 50, 'info_buyRequest', '{"qty":2}'), (520, 50, 'simple_product', '52');
UPDATE quote SET items_count = 3, items_qty = 7 WHERE entity_id = 5;
UPDATE quote_address SET subtotal = 99 WHERE quote_id = 5;
COMMIT;
DELETE FROM quote WHERE entity_id = 30;
-- A customer without a quote of her own gets the guest's.
UPDATE quote SET customer_id = 21, customer_email = 'Customer21@Example.org', customer_is_guest = 0 WHERE entity_id = 31;
-- GraphQL's mergeCarts keeps the guest's quote, switched off.
BEGIN;
UPDATE quote_item SET qty = qty + 2 WHERE item_id = 602;
UPDATE quote SET items_qty = 9 WHERE entity_id = 6;
UPDATE quote SET is_active = 0 WHERE entity_id = 32;
COMMIT;
-- An order; one whose payment fails, so that the quote comes back and is changed; one twice.
UPDATE quote SET is_active = 0, reserved_order_id = '000000033', converted_at = CURRENT_TIMESTAMP WHERE entity_id = 33;
UPDATE quote SET is_active = 0, reserved_order_id = '000000034' WHERE entity_id = 34;
UPDATE quote SET is_active = 1, reserved_order_id = NULL WHERE entity_id = 34;
UPDATE quote_item SET qty = 7 WHERE item_id = 3401;
-- for i in 1..=6
UPDATE quote SET is_active = {i} % 2 WHERE entity_id = 35;
-- end
UPDATE quote SET is_active = 1 WHERE entity_id = 35;
-- An old order is opened again by an administrator.
UPDATE quote SET is_active = 1 WHERE entity_id = 55;
-- Prices of a product are indexed: all quotes that have it are marked, as of yesterday.
UPDATE quote, quote_item SET quote.trigger_recollect = 1, quote.updated_at = quote.updated_at WHERE quote_item.quote_id = quote.entity_id AND quote_item.product_id IN (2, 3, 4, 50);
-- A rule of the catalogue does the same and does not mind the date.
UPDATE quote SET trigger_recollect = 1 WHERE is_active = 1 AND entity_id IN (SELECT quote_id FROM quote_item WHERE product_id = 5);
-- Customers change their minds: a quantity, a removal (the variant and the options go by foreign keys).
UPDATE quote_item SET qty = 4, row_total = 44 WHERE item_id = 701;
DELETE FROM quote_item WHERE item_id = 702;
DELETE FROM quote_item WHERE item_id = 801;
-- By the metre, at a price that a clerk has given, and two engraved mugs of one SKU.
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, sku, name, is_qty_decimal, qty, price, custom_price, product_type) VALUES (830, 8, 60, 1, 'CLOTH', 'Cloth', 1, 2.5, 10, 8.25, 'simple');
INSERT INTO quote_item (item_id, quote_id, product_id, store_id, sku, name, qty, price, product_type) VALUES (840, 8, 12, 1, 'MUG-12', 'A mug', 1, 100, 'simple'), (841, 8, 12, 1, 'MUG-12', 'A mug', 2, 100.5, 'simple');
INSERT INTO quote_item_option (item_id, product_id, code, value) VALUES (840, 12, 'option_1', 'Ada'), (841, 12, 'option_1', 'Bob');
UPDATE quote_item SET custom_price = 7 WHERE item_id = 901;
UPDATE quote SET coupon_code = 'SPRING' WHERE entity_id = 9;
-- The checkout: an estimate, an address, a second one to ship to, and one that is emptied again.
UPDATE quote_address SET country_id = 'DE', postcode = '10115' WHERE address_id = 1002;
UPDATE quote_address SET firstname = 'Grace', lastname = 'H', street = 'Only one line', city = 'Berlin', country_id = 'DE', telephone = '030' WHERE quote_id = 10;
INSERT INTO quote_address (address_id, quote_id, address_type, lastname, street, city, country_id) VALUES (1003, 10, 'shipping', 'Other', 'Elsewhere 2', 'Potsdam', 'DE');
UPDATE quote_address SET country_id = NULL, street = NULL, lastname = NULL WHERE address_id = 122;
DELETE FROM quote_address WHERE address_id = 151;
-- A customer who cannot stop, each time all of it.
-- for i in 1..=30
BEGIN;
UPDATE quote_item SET qty = {i}, row_total = {i} WHERE item_id = 201;
UPDATE quote SET items_qty = {i} + 2, subtotal = {i} WHERE entity_id = 2;
UPDATE quote_address SET subtotal = {i} WHERE quote_id = 2;
UPDATE quote_item SET discount_amount = {i} WHERE item_id IN (202, 203);
COMMIT;
-- end
-- A product is deleted.
BEGIN;
UPDATE quote SET items_count = items_count - 1 WHERE entity_id IN (SELECT quote_id FROM quote_item WHERE product_id = 9);
DELETE FROM quote_item WHERE product_id = 9;
COMMIT;
-- Old carts expire: one statement for the quotes, and the rest by foreign keys.
DELETE FROM quote WHERE entity_id BETWEEN 40 AND 49;
UPDATE quote_item SET qty = 9 WHERE item_id = 5001;
