-- platform vendure
-- A line that leaves its order must say whose it was.
ALTER TABLE order_line REPLICA IDENTITY FULL;
ALTER TABLE session REPLICA IDENTITY FULL;
INSERT INTO channel ("code", "token", "defaultCurrencyCode", "pricesIncludeTax") VALUES ('main', 'main', 'EUR', true);
INSERT INTO customer ("emailAddress") SELECT 'c' || n || '@example.org' FROM generate_series(1, 20) n;
INSERT INTO product_variant ("sku") SELECT 'SKU-' || n FROM generate_series(1, 9) n;
-- 40 orders, of which the last ten are placed; the first 15 are of customers.
INSERT INTO "order" ("code", "state", "active", "couponCodes", "shippingAddress", "billingAddress", "currencyCode", "customerId", "subTotal", "subTotalWithTax", "orderPlacedAt")
SELECT upper(left(md5(n::text), 16)), CASE WHEN n > 30 THEN 'PaymentSettled' ELSE 'AddingItems' END, n <= 30, '', '{}', '{}', 'EUR', CASE WHEN n <= 15 THEN n END, 0, 0, CASE WHEN n > 30 THEN now() END
FROM generate_series(1, 40) n;
INSERT INTO order_channels_channel SELECT "id", 1 FROM "order";
INSERT INTO session ("token", "expires", "invalidated", "activeOrderId", "type") SELECT md5('token' || "id"), now() + interval '1 year', false, "id", 'AnonymousSession' FROM "order" WHERE "customerId" IS NULL AND "active";
INSERT INTO order_line ("id", "quantity", "listPriceIncludesTax", "adjustments", "taxLines", "productVariantId", "initialListPrice", "listPrice", "orderId")
SELECT "id" * 10 + k, 1 + ("id" + k) % 3, true, '[]', '[]', 1 + ("id" + k) % 9, 995 + "id", 995 + "id", "id" FROM "order", generate_series(1, 2) k;
