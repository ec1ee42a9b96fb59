-- platform vendure
-- The custom field that the preset asks for.
ALTER TABLE order_line ADD "customFieldsLegacykey" varchar UNIQUE;
INSERT INTO channel ("code", "token", "defaultCurrencyCode", "pricesIncludeTax") VALUES ('eu', 'eu-token', 'EUR', true), ('us', 'us-token', 'USD', false);
INSERT INTO tax_category ("name") VALUES ('Usual');
INSERT INTO customer ("emailAddress") SELECT 'customer' || n || '@example.org' FROM generate_series(1, 22) n WHERE n % 5 <> 0;
INSERT INTO customer ("emailAddress", "deletedAt") VALUES ('customer1@example.org', now());
INSERT INTO product_variant ("sku", "taxCategoryId") SELECT sku, 1 FROM unnest(ARRAY['P-9-BLUE', 'P-9-RED', 'P-8', 'P-7', 'P-6', 'P-5', 'P-4', 'P-3', 'P-2', 'P-1']) sku;
INSERT INTO product_variant ("sku", "enabled") VALUES ('P-1', false);
INSERT INTO product_variant_price ("currencyCode", "channelId", "price", "variantId")
SELECT money, channel, v."id" * 100 + channel, v."id" FROM product_variant v, (VALUES ('EUR', 1), ('USD', 1), ('EUR', 2), ('USD', 2)) prices (money, channel) WHERE v."enabled";
