-- A new line: it has no order at first and a quantity of none, is linked, gets its quantity, and then
-- the order and all its lines are saved.
BEGIN;
INSERT INTO order_line ("id", "quantity", "listPriceIncludesTax", "adjustments", "taxLines", "productVariantId", "initialListPrice", "listPrice", "orderId") VALUES (1001, 0, true, '[]', '[]', 7, NULL, 0, NULL);
UPDATE order_line SET "orderId" = 1 WHERE "id" = 1001;
UPDATE order_line SET "quantity" = 2, "initialListPrice" = 1250, "listPrice" = 1250, "updatedAt" = now() WHERE "id" = 1001;
UPDATE "order" SET "subTotal" = 2500, "subTotalWithTax" = 3000, "updatedAt" = now() WHERE "id" = 1;
UPDATE order_line SET "adjustments" = '[]', "updatedAt" = now() WHERE "orderId" = 1;
COMMIT;
-- The same where each statement commits alone.
INSERT INTO order_line ("id", "quantity", "listPriceIncludesTax", "adjustments", "taxLines", "productVariantId", "initialListPrice", "listPrice", "orderId") VALUES (1002, 0, true, '[]', '[]', 8, NULL, 0, NULL);
UPDATE order_line SET "orderId" = 2 WHERE "id" = 1002;
UPDATE order_line SET "quantity" = 4, "listPrice" = 399 WHERE "id" = 1002;
-- One that is never linked, and one that is let go of.
INSERT INTO order_line ("id", "quantity", "listPriceIncludesTax", "adjustments", "taxLines", "productVariantId", "listPrice", "orderId") VALUES (1003, 0, true, '[]', '[]', 8, 0, NULL);
UPDATE order_line SET "orderId" = NULL WHERE "id" = 31;
DELETE FROM order_line WHERE "id" = 41;
UPDATE order_line SET "quantity" = 0 WHERE "id" = 51;
-- A visitor's first: the order, its channel, the session that points to it, the line.
BEGIN;
INSERT INTO "order" ("id", "code", "state", "couponCodes", "shippingAddress", "billingAddress", "currencyCode", "subTotal", "subTotalWithTax") VALUES (101, 'NEWGUEST', 'Created', '', '{}', '{}', 'EUR', 0, 0);
INSERT INTO order_channels_channel VALUES (101, 1);
UPDATE "order" SET "state" = 'AddingItems' WHERE "id" = 101;
INSERT INTO order_line ("id", "quantity", "listPriceIncludesTax", "adjustments", "taxLines", "productVariantId", "listPrice", "orderId") VALUES (1011, 0, true, '[]', '[]', 3, 0, NULL);
UPDATE order_line SET "orderId" = 101 WHERE "id" = 1011;
UPDATE order_line SET "quantity" = 1, "listPrice" = 500 WHERE "id" = 1011;
COMMIT;
INSERT INTO session ("token", "expires", "invalidated", "activeOrderId", "type") VALUES ('token-of-101', now(), false, 101, 'AnonymousSession');
-- A login: the guest's lines win and are made anew in the customer's order; the guest's order is
-- deleted, and before that the session lets go of it.
BEGIN;
UPDATE session SET "activeOrderId" = NULL WHERE "activeOrderId" = 20;
UPDATE order_line SET "quantity" = 5 WHERE "id" = 61;
INSERT INTO order_line ("id", "quantity", "listPriceIncludesTax", "adjustments", "taxLines", "productVariantId", "listPrice", "orderId") VALUES (1012, 0, true, '[]', '[]', 9, 0, NULL);
UPDATE order_line SET "orderId" = 6 WHERE "id" = 1012;
UPDATE order_line SET "quantity" = 3, "listPrice" = 1015 WHERE "id" = 1012;
DELETE FROM "order" WHERE "id" = 20;
COMMIT;
-- A customer whose own order is empty takes the guest's.
DELETE FROM order_line WHERE "orderId" = 7;
BEGIN;
UPDATE session SET "activeOrderId" = NULL WHERE "activeOrderId" = 21;
DELETE FROM "order" WHERE "id" = 7;
UPDATE "order" SET "customerId" = 7 WHERE "id" = 21;
COMMIT;
-- Placed, and canceled.
UPDATE "order" SET "state" = 'ArrangingPayment' WHERE "id" = 8;
UPDATE "order" SET "state" = 'PaymentSettled', "active" = false, "orderPlacedAt" = now() WHERE "id" = 8;
UPDATE order_line SET "orderPlacedQuantity" = "quantity" WHERE "orderId" = 8;
UPDATE "order" SET "state" = 'Cancelled', "active" = false WHERE "id" = 9;
-- A customer who cannot stop: all lines are saved each time.
-- for i in 1..=30
BEGIN;
UPDATE order_line SET "quantity" = {i} WHERE "id" = 101;
UPDATE "order" SET "subTotal" = {i}, "updatedAt" = now() WHERE "id" = 10;
UPDATE order_line SET "updatedAt" = now() WHERE "orderId" = 10;
COMMIT;
-- end
-- A line that is let go of and linked again.
-- for i in 1..=10
UPDATE order_line SET "orderId" = CASE {i} % 2 WHEN 0 THEN 11 END WHERE "id" = 111;
-- end
-- Sessions are cleaned, a thousand at a time; their orders stay.
DELETE FROM session WHERE "activeOrderId" BETWEEN 24 AND 26;
